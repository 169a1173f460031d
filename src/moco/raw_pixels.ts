import { loadPictures } from '../data/load.js';
import { bytesOf, inMemory, ofManyShapes, type PictureSource } from '../data/source.js';
import type { Encoder } from '../nn/models.js';
import { Module } from '../nn/module.js';
import { reshape } from '../ops/reshape.js';
import type { Tensor } from '../tensor.js';
import type { PretrainConfig } from './config.js';
import { embedPictures, pixelFeatures } from './embed.js';
import { type Features, knnAccuracy } from './knn.js';

/** Bytes of raw pixels, as floats, that streamed pictures may take up. */
const MOST = 2 ** 28;
/** Pixels a side that raw pixels are compared at, where pictures have shapes of their own. */
const SIDE = 64;

/** Features that are the pixels. */
class Pixelwise extends Module implements Encoder {
  constructor(readonly features: number) {
    super();
  }

  forward(x: Tensor): Tensor {
    return reshape(x, [-1, this.features]);
  }

  embed(x: Tensor): Tensor {
    return this.forward(x);
  }
}

/**
 * Accuracy of weighted k-NN on raw pixels, which an encoder has to beat: of pictures of one shape all of them, else of views
 * as evaluation sees them. Undefined where that would bring a large streamed set into memory.
 */
export async function rawPixelAccuracy(sets: { train: PictureSource; heldOut: PictureSource }, config: PretrainConfig): Promise<number | undefined> {
  const { mean, std, size, knn: k, knnT: T } = config;
  const { train, heldOut } = sets;
  const side = Math.min(size, SIDE);
  const bytes = (p: PictureSource) => (inMemory(p) ? 0 : 4 * (ofManyShapes(p) ? 3 * p.count * side ** 2 : bytesOf(p)));
  if (bytes(train) + bytes(heldOut) > MOST) return undefined;
  const pixels = async (p: PictureSource): Promise<Features> => {
    if (ofManyShapes(p)) return embedPictures(new Pixelwise(3 * side ** 2), p, undefined, { size: side, mean, std });
    return pixelFeatures(inMemory(p) ? p : await loadPictures(p, Uint32Array.from({ length: p.count }, (_, i) => i)), mean, std);
  };
  return knnAccuracy(await pixels(heldOut), await pixels(train), { k, T });
}
