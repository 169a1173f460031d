import { loadPictures } from '../data/load.js';
import { inMemory, type PictureSource } from '../data/source.js';
import type { PretrainConfig } from './config.js';
import { pixelRows } from './embed.js';
import { knnAccuracy } from './knn.js';

/** Bytes of streamed pictures that are brought into memory to be compared. */
const MOST = 2 ** 26;
/** Multiplications that the comparison may take: those of CIFAR-10's 10,000 test pictures with its 50,000 others, and a third more. */
const WORK = 2 ** 41;

/**
 * Accuracy of weighted k-NN on raw pixels, which an encoder has to beat; undefined where that would take too long, or bring
 * a large streamed set into memory.
 */
export async function rawPixelAccuracy(sets: { train: PictureSource; heldOut: PictureSource }, config: PretrainConfig): Promise<number | undefined> {
  const { mean, std, knn: k, knnT: T } = config;
  const { train, heldOut } = sets;
  const size = 3 * train.height * train.width;
  const bytes = (p: PictureSource) => (inMemory(p) ? 0 : p.count * size);
  if (bytes(train) + bytes(heldOut) > MOST || train.count * heldOut.count * size > WORK) return undefined;
  const pixels = async (p: PictureSource) => pixelRows(inMemory(p) ? p : await loadPictures(p, new Uint32Array(p.count).map((_, i) => i)), mean, std);
  return knnAccuracy(await pixels(heldOut), await pixels(train), { k, T });
}
