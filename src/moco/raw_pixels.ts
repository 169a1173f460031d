import { loadPictures } from '../data/load.js';
import { inMemory, type PictureSource } from '../data/source.js';
import type { PretrainConfig } from './config.js';
import { pixelFeatures } from './embed.js';
import { type Features, knnAccuracy } from './knn.js';

/** Bytes of raw pixels, as floats, that streamed pictures may take up. */
const MOST = 2 ** 28;

/** Accuracy of weighted k-NN on raw pixels, which an encoder has to beat; undefined where that would bring a large streamed set into memory. */
export async function rawPixelAccuracy(sets: { train: PictureSource; heldOut: PictureSource }, config: PretrainConfig): Promise<number | undefined> {
  const { mean, std, knn: k, knnT: T } = config;
  const { train, heldOut } = sets;
  const bytes = (p: PictureSource) => (inMemory(p) ? 0 : 4 * 3 * p.count * p.height * p.width);
  if (bytes(train) + bytes(heldOut) > MOST) return undefined;
  const pixels = async (p: PictureSource): Promise<Features> =>
    pixelFeatures(inMemory(p) ? p : await loadPictures(p, Uint32Array.from({ length: p.count }, (_, i) => i)), mean, std);
  return knnAccuracy(await pixels(heldOut), await pixels(train), { k, T });
}
