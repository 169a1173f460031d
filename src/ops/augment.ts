import source from '../../kernels/augment.wgsl';
import type { Primitive } from '../backend/backend.js';
import { ConfigError, ShapeError } from '../core/errors.js';
import { show } from '../core/shape.js';
import { kernel } from '../gpu/kernel.js';
import type { AugmentParams } from '../reference/augment.js';
import { checkDType, checkSameShape, empty, runTo, type Tensor, tensor } from '../tensor.js';
import { AUGMENT_COLUMNS, wholePictures } from './augment_params.js';

const shader = kernel('augment', source);

const primitive: Primitive<AugmentParams> = {
  name: 'augment',
  gpu: ({ mean, std, ...p }, { software }) => ({
    scratch: [p.N * p.height * p.width * 3],
    launches: [{ kernel: shader, constants: { THREADS: software ? 64 : 256, PLACED: Number(p.H === 0) }, params: { ...p, mean, inverseStd: std.map((v) => 1 / v) }, groups: p.N }],
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

/**
 * Random views of pictures that stay on the device, normalised: crop, resize, colour, blur and flip as one dispatch.
 * What the steps compute is said in kernels/augment.wgsl. No gradient.
 *
 * @param pictures the data set, u8 [M, H, W, 3]; or pictures of any shapes, u8 [pixels, 3].
 * @param index which pictures, u32 [N], each below M; or of any shapes where each lies, u32 [N, 3]: first pixel, height, width.
 * @param table how to augment each, f32 [N, 17] from `drawAugmentation`.
 * @returns f32 [N, height, width, 3].
 */
export function augment(pictures: Tensor<'u8'>, index: Tensor<'u32'>, table: Tensor<'f32'>, { size, mean, std }: AugmentOptions): Tensor {
  checkDType('augment', pictures, 'u8');
  checkDType('augment', index, 'u32');
  checkDType('augment', table, 'f32');
  const placed = pictures.rank === 2;
  const [M, H, W] = placed ? [0, 0, 0] : pictures.shape;
  if (![2, 4].includes(pictures.rank) || pictures.shape.at(-1) !== 3 || pictures.size === 0)
    throw new ShapeError(`augment: pictures are [M, H, W, 3] or [pixels, 3] with at least one pixel; got ${show(pictures.shape)}. Convert them to RGB.`);
  const N = index.shape[0] ?? 0;
  checkSameShape('augment', 'the index', index, placed ? [N, 3] : [N]);
  checkSameShape('augment', 'the table', table, [N, AUGMENT_COLUMNS]);
  const [height, width] = typeof size === 'number' ? [size, size] : size;
  if (![height, width].every((d) => Number.isInteger(d) && d > 0))
    throw new ShapeError(`augment: the size is a whole number above 0; got ${height} by ${width}. MoCo uses 224, or 32 for CIFAR.`);
  if (mean.length !== 3 || std.length !== 3 || !std.every((v) => v > 0))
    throw new ConfigError(`augment: mean and std are three numbers each, std above 0; got ${show(mean)} and ${show(std)}. Pass those of the data set.`);
  const y = empty([N, height, width, 3], 'f32', pictures.backend);
  return runTo(y, primitive, [pictures, index, table], { M, H, W, N, height, width, mean, std });
}

/** Pictures as they are, resized if `size` differs from theirs, and normalised: for evaluation. Arguments as of `augment`. */
export function normalizePictures(
  pictures: Tensor<'u8'>, index: Tensor<'u32'>, { size, mean, std }: Omit<AugmentOptions, 'size'> & Partial<Pick<AugmentOptions, 'size'>>,
): Tensor {
  const [, H, W] = pictures.shape;
  const table = tensor(wholePictures(index.size, H, W), [index.size, AUGMENT_COLUMNS]);
  return augment(pictures, index, table, { size: size ?? [H, W], mean, std });
}
