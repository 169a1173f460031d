import source from '../../kernels/augment.wgsl';
import type { Primitive } from '../backend/backend.js';
import { above0, anyNumber, anything, checkOptions, listOf, needed } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { show } from '../core/shape.js';
import { kernel } from '../gpu/kernel.js';
import type { AugmentParams } from '../reference/augment.js';
import { runTo } from '../tensor/run.js';
import { checkDType, checkSameShape, empty, type Tensor, tensor } from '../tensor/tensor.js';
import { AUGMENT_COLUMNS, viewParts, wholePictures } from './augment_params.js';
import { pair, pairFrom } from './pair.js';
import { type Places, placesIn } from './places.js';

const shader = kernel('augment', source);

const primitive: Primitive<AugmentParams> = {
  name: 'augment',
  gpu: ({ mean, std, ...p }, { software }) => ({
    scratch: [p.N * p.height * p.width * 3],
    launches: [
      {
        kernel: shader,
        constants: { THREADS: software ? 64 : 256, PLACED: Number(p.H === 0) },
        params: { ...p, mean, inverseStd: std.map((v) => 1 / v) },
        groups: p.N,
      },
    ],
  }),
};

/** The size of views, and how their channels are normalised. */
export interface AugmentOptions {
  /** Height and width of the result, or one number for both. */
  size: number | readonly [height: number, width: number];
  /** Of each channel in [0, 1]; the result is (value - mean) / std. */
  mean: readonly number[];
  std: readonly number[];
}

/** What each option must be; an `Augmentation`, whose other parts are in the table, may be given whole. */
const rules = {
  ...Object.fromEntries(viewParts.map((name) => [name, anything])),
  size: needed(pairFrom(1)),
  mean: needed(listOf(anyNumber, 3)),
  std: needed(listOf(above0, 3)),
};

/**
 * Random views of pictures that stay on the device, normalised: crop, resize, colour, blur and flip as one dispatch.
 * What the steps compute is said in kernels/augment.wgsl. No gradient.
 *
 * @param pictures the data set, u8 [M, H, W, 3]; or pictures of any shapes, u8 [pixels, 3].
 * @param index which pictures, u32 [N], each below M: numbers are checked, and an entry of a tensor that is M or more
 * gives NaN; or of
 *   any shapes where each lies, u32 [N, 3]: first pixel, height, width.
 * @param table how to augment each, f32 [N, 17] from `sampleAugmentation`.
 * @returns f32 [N, height, width, 3].
 */
export function augment(pictures: Tensor<'u8'>, index: Places, table: Tensor<'f32'>, options: AugmentOptions): Tensor {
  checkDType('augment', pictures, 'u8');
  checkOptions('augment', options, rules);
  const { size, mean, std } = options;
  checkDType('augment', table, 'f32');
  const placed = pictures.rank === 2;
  const [M, H, W] = placed ? [0, 0, 0] : pictures.shape;
  if (![2, 4].includes(pictures.rank) || pictures.shape.at(-1) !== 3 || pictures.size === 0)
    throw new ShapeError(
      `augment: pictures must be [M, H, W, 3] or [pixels, 3] with at least one pixel; ` +
        `got ${show(pictures.shape)}. Convert them to RGB.`,
    );
  const places = placesIn('augment', 'the index', index, placed ? 2 ** 32 : M);
  const N = places.shape[0] ?? 0;
  checkSameShape('augment', 'the index', places, placed ? [N, 3] : [N]);
  checkSameShape('augment', 'the table', table, [N, AUGMENT_COLUMNS]);
  const [height, width] = pair(size);
  const y = empty([N, height, width, 3], 'f32', pictures.backend);
  return runTo(y, primitive, [pictures, places, table], { M, H, W, N, height, width, mean, std });
}

/**
 * Pictures as they are, resized if `size` differs from theirs, and normalised: for evaluation. Arguments as of
 * `augment`.
 */
export function normalizePictures(
  pictures: Tensor<'u8'>,
  index: Places,
  options: Omit<AugmentOptions, 'size'> & Partial<Pick<AugmentOptions, 'size'>>,
): Tensor {
  checkDType('normalizePictures', pictures, 'u8');
  checkOptions('normalizePictures', options, { ...rules, size: pairFrom(1) });
  const [M, H = 1, W = 1] = pictures.shape;
  const places = placesIn('normalizePictures', 'the index', index, M);
  const table = tensor(wholePictures(places.size, H, W), [places.size, AUGMENT_COLUMNS]);
  return augment(pictures, places, table, { ...options, size: options.size ?? [H, W] });
}
