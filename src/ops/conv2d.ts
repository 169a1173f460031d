import type { Primitive } from '../backend/backend.js';
import { Choice, launchedBy } from '../backend/variants.js';
import { ceilDiv } from '../core/ceil-div.js';
import { anything, checkOptions, needed, whole } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { show } from '../core/shape.js';
import type { Conv2dParams } from '../reference/conv2d.js';
import { record } from '../tensor/autograd.js';
import { run, runTo } from '../tensor/run.js';
import { empty, floatType, type Tensor } from '../tensor/tensor.js';
import type { TileStatistics } from './batch_norm.js';
import { conv2dDwGpu } from './conv2d_dw_variants.js';
import { conv2dDxGpu } from './conv2d_dx_variants.js';
import { conv2dFlops } from './conv2d_parts.js';
import { chooseConv2d, conv2dGpu, conv2dVariants } from './conv2d_variants.js';
import { type Pair, pair, pairFrom } from './pair.js';
import { factorsIn, type Precision, precision, precisions, storedIn } from './precision.js';

const flops = conv2dFlops;
export const conv2dPrimitive: Primitive<Conv2dParams> = { name: 'conv2d', gpu: conv2dGpu, flops };
/** [x, w] -> [y, mean, m2], where the variant can; see `WithStatistics`. */
export const conv2dStatsPrimitive: Primitive<Conv2dParams & { tile: number }> = {
  name: 'conv2d_stats',
  gpu: (p, traits) => new Choice(conv2dVariants, p, traits).statistics()!.launch,
  flops,
};
export const conv2dDxPrimitive: Primitive<Conv2dParams> = { name: 'conv2d_dx', gpu: conv2dDxGpu, flops };
export const conv2dDwPrimitive: Primitive<Conv2dParams> = { name: 'conv2d_dw', gpu: conv2dDwGpu, flops };

/** The geometry of a convolution; a pair is [rows, columns]. */
export interface Conv2dOptions {
  /** Rows and columns from one output pixel to the next. Default 1. */
  stride?: Pair;
  /** Zeros around the picture. Default 0. */
  padding?: Pair;
  /** Distance between the taps of the filter. Default 1. */
  dilation?: Pair;
  /** Blocks that channels are divided into, each convolved by itself. Default 1. */
  groups?: number;
  /**
   * `f16`: the result is stored as f16 where the adapter has it, and tensor cores round the factors to it; sums
   * are f32. `f32-exact`: f32 is multiplied as such. Default: see `withPrecision`.
   */
  precision?: Precision;
}

/** What each option must be. */
export const conv2dRules = {
  stride: pairFrom(1),
  padding: pairFrom(0),
  dilation: pairFrom(1),
  groups: whole(1),
  precision: precisions,
};

/**
 * A request for the statistics that `batchNorm` needs of a result. Granted where the kernel can take them on its way:
 * `tiles` is set.
 */
export interface StatisticsRequest {
  /** As `batchNorm` takes them. */
  readonly splits: number;
  tiles?: TileStatistics;
}

/** The sizes of a convolution, or a ShapeError that names what does not fit. */
export function conv2dParams(x: Tensor, w: Tensor, options: Conv2dOptions): Conv2dParams {
  checkOptions('conv2d', options, conv2dRules);
  const [strideH, strideW] = pair(options.stride ?? 1);
  const [padH, padW] = pair(options.padding ?? 0);
  const [dilationH, dilationW] = pair(options.dilation ?? 1);
  const groups = options.groups ?? 1;
  const got = `got x ${show(x.shape)} and w ${show(w.shape)}`;
  if (x.rank !== 4 || w.rank !== 4)
    throw new ShapeError(`conv2d: x must be [N, H, W, C] and w [O, R, S, C / groups]; ${got}. Reshape them.`);
  const [N, H, W, C] = x.shape;
  const [O, R, S, Cg] = w.shape;
  if (C !== Cg * groups || O % groups !== 0)
    throw new ShapeError(
      `conv2d: x must have ${groups * Cg} channels (groups × w's), and O must divide by the groups; ${got}, ` +
        `groups ${groups}. Correct the weights.`,
    );
  const P = Math.floor((H + 2 * padH - dilationH * (R - 1) - 1) / strideH) + 1;
  const Q = Math.floor((W + 2 * padW - dilationW * (S - 1) - 1) / strideW) + 1;
  if (P < 1 || Q < 1)
    throw new ShapeError(
      `conv2d: the filter must fit into the padded picture; ${got}, padding ${padH} and ${padW}. ` +
        `Pad more or use a smaller filter.`,
    );
  const factors = factorsIn(options.precision ?? precision());
  return { N, H, W, C, O, R, S, P, Q, strideH, strideW, padH, padW, dilationH, dilationW, groups, ...factors };
}

/** Writes y = x * w. Grants a request where the kernel takes statistics, of tiles in one sample if it has splits. */
function convolve(x: Tensor, w: Tensor, y: Tensor, p: Conv2dParams, request?: StatisticsRequest): void {
  const choice = request && chooseConv2d(x.backend, p);
  const { rows = 0, launch } = choice?.statistics() ?? {};
  if (!request || rows === 0 || (request.splits > 1 && (p.P * p.Q) % rows !== 0))
    return run(launchedBy(conv2dPrimitive, choice?.launch()), [x, w], [y], p);
  const shape = [ceilDiv(p.N * p.P * p.Q, rows), p.O];
  const { mean, m2 } = (request.tiles = {
    rows,
    mean: empty(shape, 'f32', x.backend),
    m2: empty(shape, 'f32', x.backend),
  });
  run(launchedBy(conv2dStatsPrimitive, launch), [x, w], [y, mean, m2], { ...p, tile: rows });
}

/**
 * Convolution (cross-correlation, as in every deep-learning library).
 *
 * @param x [N, H, W, C]
 * @param w [O, R, S, C / groups]
 * @param request for the statistics of the result: see `StatisticsRequest`
 * @returns [N, P, Q, O], P = ⌊(H + 2 padding - dilation (R - 1) - 1) / stride⌋ + 1
 */
export function conv2d(x: Tensor, w: Tensor, options: Conv2dOptions = {}, request?: StatisticsRequest): Tensor {
  for (const t of [x, w]) floatType('conv2d', t);
  const p = conv2dParams(x, w, options);
  if (request !== undefined) checkOptions('conv2d', request, { splits: needed(whole(1)), tiles: anything });
  const y = empty([p.N, p.P, p.Q, p.O], storedIn(p.half ? 'f16' : 'f32', x.backend), x.backend);
  convolve(x, w, y, p, request);
  // dx[h] = Σ dy[p] w[r] over p·stride = h + pad - r·dilation; dw[r] = Σ dy[p] x[p·stride - pad + r·dilation]
  return record('conv2d', y, [x, w], (dy, [dx, dw]) => [
    dx && runTo(dx(), conv2dDxPrimitive, [dy, w], p),
    dw && runTo(dw(), conv2dDwPrimitive, [x, dy], p),
  ]);
}
