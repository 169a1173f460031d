import type { Pictures } from '../data/pictures.js';
import { evaluating } from '../nn/evaluating.js';
import type { Encoder } from '../nn/models.js';
import { noGrad } from '../autograd.js';
import { normalizePictures } from '../ops/augment.js';
import { step } from '../step.js';
import { state, type Tensor, tensor } from '../tensor.js';
import type { Features } from './knn.js';

export interface Normalisation {
  size: number;
  mean: readonly number[];
  std: readonly number[];
}

const BATCH = 256;

/** Pooled features of every picture, without augmentation, by the model in evaluation mode (it is put back after). */
export async function embedPictures(model: Encoder, pictures: Pictures, resident: Tensor, normalisation: Normalisation): Promise<Features> {
  return evaluating(model, () => embed(model, pictures, resident, normalisation));
}

async function embed(model: Encoder, pictures: Pictures, resident: Tensor, normalisation: Normalisation): Promise<Features> {
  const parts: Promise<ArrayLike<number>>[] = [];
  let size = 0;
  for (let first = 0; first < pictures.count; first += BATCH) {
    const index = Uint32Array.from({ length: Math.min(BATCH, pictures.count - first) }, (_, i) => first + i);
    parts.push(
      step(() => {
        const y = noGrad(() => model.embed(normalizePictures(resident, tensor(index), normalisation)));
        size = y.shape[1];
        return y.data();
      }),
    );
    if (parts.length % 4 === 0) await parts[parts.length - 4]; // the device is never more than a few batches behind
  }
  const values = new Float32Array(pictures.count * size);
  let at = 0;
  for (const part of await Promise.all(parts)) {
    values.set(part, at);
    at += part.length;
  }
  return { values, count: pictures.count, size, labels: pictures.labels };
}

/** Pictures kept on the device, u8 [N, H, W, 3]. */
export const resident = (p: Pictures): Tensor => state(tensor(p.data, [p.count, p.height, p.width, 3]));

/** Raw pixels as features, less the mean of the pictures: what an encoder has to beat. */
export function pixelFeatures(pictures: Pictures, mean: readonly number[], std: readonly number[]): Features {
  const values = Float32Array.from(pictures.data, (v, i) => (v / 255 - mean[i % 3]) / std[i % 3]);
  return { values, count: pictures.count, size: pictures.height * pictures.width * 3, labels: pictures.labels };
}
