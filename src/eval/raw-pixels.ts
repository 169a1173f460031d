import { loadPictures } from '../data/load-pictures.js';
import { inMemory, ofManyShapes, type PictureSource } from '../data/picture-source.js';
import type { PretrainConfig } from '../moco/config.js';
import type { Encoder } from '../nn/models.js';
import { Module } from '../nn/module.js';
import { reshape } from '../ops/reshape.js';
import type { Tensor } from '../tensor/tensor.js';
import { embedPictures, pixelRows } from './embed.js';
import { type FeatureRows, type Features, knnAccuracy } from './knn.js';

/** Bytes of streamed pictures that are brought into memory to be compared. */
const MOST = 2 ** 26;
/**
 * Multiplications that the comparison may take: those of CIFAR-10's 10,000 test pictures with its 50,000 others, and a
 * third more.
 */
const WORK = 2 ** 41;
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
 * Accuracy of weighted k-NN on raw pixels, which an encoder has to beat: of pictures of one shape all of them, else of
 * views as evaluation sees them. Undefined where that would take too long, or bring a large streamed set into memory.
 */
export async function rawPixelAccuracy(
  sets: { train: PictureSource; heldOut: PictureSource },
  config: PretrainConfig,
): Promise<number | undefined> {
  const { mean, std, size, knn: k, knnT: T } = config;
  const { train, heldOut } = sets;
  const side = Math.min(size, SIDE);
  const values = (p: PictureSource) => 3 * (ofManyShapes(p) ? side ** 2 : p.height * p.width);
  const bytes = (p: PictureSource) => (inMemory(p) ? 0 : p.count * values(p));
  if (bytes(train) + bytes(heldOut) > MOST || train.count * heldOut.count * values(train) > WORK) return undefined;
  const pixels = async (p: PictureSource): Promise<Features | FeatureRows> => {
    if (ofManyShapes(p)) return embedPictures(new Pixelwise(3 * side ** 2), p, undefined, { size: side, mean, std });
    return pixelRows(
      inMemory(p)
        ? p
        : await loadPictures(
            p,
            new Uint32Array(p.count).map((_, i) => i),
          ),
      mean,
      std,
    );
  };
  return knnAccuracy(await pixels(heldOut), await pixels(train), { k, T });
}
