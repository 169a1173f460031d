import { loadPictures } from '../data/load-pictures.js';
import type { PictureSource, Pictures } from '../data/picture-source.js';
import { pictureTensor } from '../input/step-pictures.js';
import { type PretrainConfig, viewsOf } from '../moco/config.js';
import { evaluating } from '../nn/evaluating.js';
import type { Encoder } from '../nn/models.js';
import { augment } from '../ops/augment.js';
import { AUGMENT_COLUMNS, sampleAugmentation } from '../ops/augment_params.js';
import { l2Normalize } from '../ops/l2_normalize.js';
import { matmul } from '../ops/matmul.js';
import { noGrad } from '../tensor/autograd.js';
import { type Tensor, tensor } from '../tensor/tensor.js';
import { tidy } from '../tensor/tidy.js';

/** The first pictures of a set. */
const first = (set: PictureSource, count: number): Promise<Pictures> =>
  loadPictures(
    set,
    Uint32Array.from({ length: Math.min(count, set.count) }, (_, i) => i),
  );

/** Both views, f32 [N, size, size, 3] each, of the first N pictures, as the first epoch draws them. */
function views(config: PretrainConfig, shown: Pictures): Tensor[] {
  const { count: N, height, width, places } = shown;
  const indices = Uint32Array.from({ length: N }, (_, i) => i);
  const pictures = pictureTensor(shown);
  const which = places ? tensor(places, [N, 3]) : tensor(indices);
  return viewsOf(config).map((recipe, view) => {
    const table = tensor(
      sampleAugmentation(recipe, { seed: config.seed, epoch: 0, view, indices, height, width, places }),
      [N, AUGMENT_COLUMNS],
    );
    return augment(pictures, which, table, { ...recipe, size: config.size });
  });
}

/** The views of some pictures as pictures, first and second in turn. */
export async function previewViews(config: PretrainConfig, train: PictureSource, count: number): Promise<Pictures> {
  const shown = await first(train, count);
  const N = shown.count;
  const [x1, x2] = (await Promise.all(tidy(() => views(config, shown).map((x) => x.data())))) as Float32Array[];
  const bytes = config.size ** 2 * 3;
  const data = new Uint8ClampedArray(2 * N * bytes);
  const colour = (v: number, channel: number) => 255 * (v * config.std[channel] + config.mean[channel]);
  for (let i = 0; i < N * bytes; i++) {
    const to = Math.floor(i / bytes) * bytes + i;
    data[to] = colour(x1[i], i % 3);
    data[to + bytes] = colour(x2[i], i % 3);
  }
  const twice = <T>(list: ArrayLike<T>) => Array.from({ length: 2 * N }, (_, i) => list[i >> 1]);
  const { names, labels, classes, skipped } = shown;
  return {
    data: new Uint8Array(data.buffer),
    count: 2 * N,
    height: config.size,
    width: config.size,
    names: twice(names),
    skipped,
    ...(classes && { classes }),
    ...(labels && { labels: Uint32Array.from(twice(labels)) }),
  };
}

/** Cosines of the encoder's outputs: of the two views of a picture, and of views of different pictures. */
export interface Similarities {
  positive: Float32Array;
  negative: Float32Array;
}

/**
 * How far the encoder tells views of the same picture from others, by some pictures and in evaluation mode (it is put
 * back after).
 */
export async function similarities(
  encoder: Encoder,
  config: PretrainConfig,
  train: PictureSource,
  count = 64,
): Promise<Similarities> {
  const shown = await first(train, count);
  const cosines = () =>
    noGrad(() => {
      const [q, k] = views(config, shown).map((x) => l2Normalize(encoder.call(x)));
      return matmul(q, k, { transposeB: true }).data();
    });
  const all = (await evaluating(encoder, () => tidy(cosines))) as Float32Array;
  return {
    positive: all.filter((_, i) => i % (shown.count + 1) === 0),
    negative: all.filter((_, i) => i % (shown.count + 1) !== 0),
  };
}
