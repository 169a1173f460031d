import source from '../../kernels/batch_norm.wgsl';
import gradSource from '../../kernels/batch_norm_grad.wgsl';
import statsSource from '../../kernels/batch_norm_stats.wgsl';
import statsEndSource from '../../kernels/batch_norm_stats_end.wgsl';
import statsMergeSource from '../../kernels/batch_norm_stats_merge.wgsl';
import statsTilesSource from '../../kernels/batch_norm_stats_tiles.wgsl';
import sumsEndSource from '../../kernels/batch_norm_sums_end_grad.wgsl';
import sumsSource from '../../kernels/batch_norm_sums_grad.wgsl';
import type { Launch, Primitive } from '../backend/backend.js';
import { ceilDiv } from '../core/ceil-div.js';
import { anything, atLeast0, checkOptions, flag, needed, type Rule, upTo1, whole } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { numel, show } from '../core/shape.js';
import type { Traits } from '../gpu/device.js';
import { kernel } from '../gpu/kernel.js';
import { type Widths, widthOf, widths } from '../gpu/widths.js';
import type { BatchNormParams } from '../reference/batch_norm.js';
import { record } from '../tensor/autograd.js';
import { checkDType, checkSameShape, empty, floatType, type Place, run, runTo, type Tensor } from '../tensor/tensor.js';
import { reduceLaunch } from './reduce_launch.js';

const [normalise, stats, sums, gradient] = [
  widths('batch_norm', source),
  widths('batch_norm_stats', statsSource),
  widths('batch_norm_sums_grad', sumsSource),
  widths('batch_norm_grad', gradSource),
];
const [statsMerge, statsTiles] = [
  kernel('batch_norm_stats_merge', statsMergeSource),
  kernel('batch_norm_stats_tiles', statsTilesSource),
];
const [statsEnd, sumsEnd] = [
  kernel('batch_norm_stats_end', statsEndSource),
  kernel('batch_norm_sums_end_grad', sumsEndSource),
];

const threads = (n: number) => Math.ceil(n / 64);

/**
 * One pass over x, in which a thread takes as many rows as keep every lane busy, `least` and `most` allowing.
 * Long chunks save work a column; short ones keep sums exact, and many loads in flight where memory is far.
 */
function pass(
  kernels: Widths,
  p: BatchNormParams,
  traits: Traits,
  least: number,
  most: number,
): Launch & { chunks: number; span: number } {
  const width = widthOf(p.C);
  const C = p.C / width;
  const rows = (p.N / p.splits) * p.L;
  const wanted = (rows * C * p.splits) / (traits.parallelGroups * 64);
  const chunk = Math.min(Math.max(Math.ceil(wanted), least), most);
  const few = Math.ceil(rows / chunk);
  const span = few > 32 ? Math.ceil(Math.sqrt(few)) : 1; // chunks merged into one before the last pass
  const chunks = Math.ceil(few / span) * span;
  return {
    kernel: kernels[width],
    params: { ...p, C, rows, chunk, chunks },
    groups: threads(p.splits * chunks * C),
    chunks,
    span,
  };
}

/** A pass that reduces columns, [2, 3, ..) of the plan's scratch, and how its chunks are merged. */
const columnsPass = (kernels: Widths, p: BatchNormParams, traits: Traits) => {
  const first = pass(kernels, p, traits, 8, 512);
  const merged = first.chunks / first.span;
  const scratch = (chunks: number) => p.splits * chunks * p.C;
  return {
    first,
    merged,
    scratch: [
      scratch(first.chunks),
      scratch(first.chunks),
      ...(first.span > 1 ? [scratch(merged), scratch(merged)] : []),
    ],
  };
};

type StatsParams = BatchNormParams & { momentum: number };

/** [x] -> [mean, var, runningMean, runningVar] */
const statsPrimitive: Primitive<StatsParams> = {
  name: 'batch_norm_stats',
  gpu: (p, traits) => {
    const { first, merged, scratch } = columnsPass(stats, p, traits);
    const sizes = { ...first.params, C: p.C };
    const merge = {
      kernel: statsMerge,
      params: { ...sizes, span: first.span },
      groups: threads(p.splits * merged * p.C),
      bind: [5, 6, 7, 8],
    };
    const end = {
      kernel: statsEnd,
      params: { ...sizes, chunks: merged, chunk: Number(first.params.chunk) * first.span },
      groups: threads(p.C),
    };
    const launches =
      first.span > 1 ? [merge, { ...end, bind: [0, 7, 8, 1, 2, 3, 4] }] : [{ ...end, bind: [0, 5, 6, 1, 2, 3, 4] }];
    return { scratch, launches: [{ ...first, bind: [0, 5, 6] }, ...launches] };
  },
};

/** [x, mean and m2 of its tiles] -> [mean, var, runningMean, runningVar] */
const statsTilesPrimitive: Primitive<StatsParams & { tile: number }> = {
  name: 'batch_norm_stats_tiles',
  gpu: (p) => {
    const rows = (p.N / p.splits) * p.L;
    const tiles = ceilDiv(rows, p.tile);
    const span = Math.ceil(Math.sqrt(tiles));
    const chunks = ceilDiv(tiles, span);
    const params = { ...p, rows, tiles, span, chunks, chunk: span * p.tile };
    const size = p.splits * chunks * p.C;
    return {
      scratch: [size, size],
      launches: [
        { kernel: statsTiles, params, groups: threads(size), bind: [0, 1, 2, 7, 8] },
        { kernel: statsEnd, params, groups: threads(p.C), bind: [0, 7, 8, 3, 4, 5, 6] },
      ],
    };
  },
};

type NormaliseParams = BatchNormParams & { affine: boolean; add: boolean; relu: boolean };

/** [x, mean, var, gamma, beta, residual] -> [y] */
const normalisePrimitive: Primitive<NormaliseParams> = {
  name: 'batch_norm',
  gpu: ({ affine, add, relu, ...p }, traits) => ({
    ...pass(normalise, p, traits, 1, traits.software ? 128 : 16),
    constants: { AFFINE: Number(affine), RESIDUAL: Number(add), RELU: Number(relu) },
  }),
};

type SumsParams = BatchNormParams & { relu: boolean; writeDz: boolean };

/** [x, dy, y, mean, var] -> [sums, dgamma, dbeta, dz] */
const sumsPrimitive: Primitive<SumsParams> = {
  name: 'batch_norm_sums_grad',
  gpu: ({ relu, writeDz, ...p }, traits) => {
    const { first, merged, scratch } = columnsPass(sums, p, traits);
    const merge = reduceLaunch({ op: 'sum', A: p.splits * merged, R: first.span, B: p.C, scale: 1 });
    const end = { kernel: sumsEnd, params: { C: p.C, splits: p.splits, chunks: merged }, groups: threads(p.C) };
    const launches =
      first.span > 1
        ? [
            { ...merge, bind: [9, 11] },
            { ...merge, bind: [10, 12] },
            { ...end, bind: [11, 12, 5, 6, 7] },
          ]
        : [{ ...end, bind: [9, 10, 5, 6, 7] }];
    return {
      scratch,
      launches: [
        { ...first, constants: { RELU: Number(relu), WRITE_DZ: Number(writeDz) }, bind: [0, 1, 2, 3, 4, 9, 10, 8] },
        ...launches,
      ],
    };
  },
};

type GradParams = BatchNormParams & { affine: boolean; relu: boolean; train: boolean };

/** [x, dy, y, mean, var, gamma, sums] -> [dx] */
const gradPrimitive: Primitive<GradParams> = {
  name: 'batch_norm_grad',
  gpu: ({ affine, relu, train, ...p }, traits) => ({
    ...pass(gradient, p, traits, 1, traits.software ? 128 : 16),
    constants: { AFFINE: Number(affine), RELU: Number(relu), TRAIN: Number(train) },
  }),
};

/**
 * Statistics of x's columns over tiles of `rows` rows, [tiles, C], as the product wrote them that made x: see `conv2d`.
 */
export interface TileStatistics {
  rows: number;
  /** Means, less the tile's first value, or far from 0 they would be rounded to its ulp. */
  mean: Tensor;
  /** Sums of squared deviations from them. */
  m2: Tensor;
}

export interface BatchNormOptions {
  /** Scale of every channel, [C]. Given together with `beta`, or left out together. */
  gamma?: Tensor;
  /** Shift of every channel, [C]. */
  beta?: Tensor;
  /** State, [C]: what `train: false` normalises with; `train: true` updates both in place, on the device. */
  runningMean: Tensor;
  runningVar: Tensor;
  /** Normalise with the batch's own statistics (and learn from them), or with the running ones. */
  train: boolean;
  /** Weight of the batch in the running statistics. Default 0.1. */
  momentum?: number;
  /** Added to the variance. Default 1e-5. */
  eps?: number;
  /** Groups that samples are dealt to in turn (sample n to n % splits), each with statistics of its own. Default 1. */
  splits?: number;
  /**
   * With `train`, saves the pass over x that takes its statistics. Tiles lie each in one sample where there are splits.
   */
  statistics?: TileStatistics;
  /** Like x: added before the relu. */
  residual?: Tensor;
  /** y = max(0, ·), in the same pass. Default: true with a residual, else false. */
  relu?: boolean;
}

const rules: Record<string, Rule> = {
  gamma: anything,
  beta: anything,
  runningMean: needed(anything),
  runningVar: needed(anything),
  train: needed(flag),
  momentum: upTo1,
  eps: atLeast0,
  splits: whole(1),
  statistics: anything,
  residual: anything,
  relu: flag,
};

/** The sizes of a batch norm, or an error that names what does not fit. */
function paramsOf(
  x: Tensor,
  { gamma, beta, runningMean, runningVar, train, eps = 1e-5, splits = 1, statistics, residual }: BatchNormOptions,
): BatchNormParams {
  if (x.rank < 2) throw new ShapeError(`batchNorm: x must be [N, ..., C]; got ${show(x.shape)}. Reshape it.`);
  const [N, C] = [x.shape[0], x.shape[x.rank - 1]];
  const L = numel(x.shape.slice(1, -1));
  for (const [name, t] of Object.entries({ gamma, beta, runningMean, runningVar, residual })) {
    if (t === undefined) continue;
    if (name === 'residual') floatType('batchNorm: residual', t);
    else checkDType(`batchNorm: ${name}`, t, 'f32');
    checkSameShape('batchNorm', name, t, name === 'residual' ? x.shape : [C]);
  }
  if (!gamma !== !beta)
    throw new ShapeError(
      `batchNorm: gamma and beta must come together; got only ${gamma ? 'gamma' : 'beta'}. Pass both or neither.`,
    );
  if (!train) return { N, L, C, splits: 1, eps };
  if (N % splits !== 0)
    throw new ShapeError(
      `batchNorm: the batch must divide evenly among the splits; got ${N} samples and ${splits} splits. ` +
        `Choose a batch size that is a multiple of ${splits}, or other splits.`,
    );
  if ((N / splits) * L < 2)
    throw new ShapeError(
      `batchNorm: a split must have two values a channel to have a variance; ` +
        `got x ${show(x.shape)} and ${splits} splits. Use a larger batch or fewer splits.`,
    );
  if (statistics !== undefined) checkTiles(statistics, { N, L, C, splits });
  return { N, L, C, splits, eps };
}

function checkTiles(tiles: TileStatistics, { N, L, C, splits }: Omit<BatchNormParams, 'eps'>): void {
  checkOptions('batchNorm: statistics', tiles, {
    rows: needed(whole(1)),
    mean: needed(anything),
    m2: needed(anything),
  });
  const { rows, mean, m2 } = tiles;
  if (splits > 1 && L % rows !== 0)
    throw new ShapeError(
      `batchNorm: with splits every tile must lie in one sample; got tiles of ${rows} rows, samples of ${L}, ` +
        `${splits} splits. Leave out statistics.`,
    );
  for (const t of [mean, m2]) checkSameShape('batchNorm', 'statistics', t, [ceilDiv(N * L, rows), C]);
}

/**
 * Batch normalisation over every axis but the last (Ioffe and Szegedy 2015), as torch's BatchNorm, with MoCo's
 * split statistics, and with the addition and relu that follow it in a ResNet.
 *
 * @param x [N, ..., C]
 * @returns like x: relu((x - mean) / √(var + eps) · gamma + beta + residual), the optional parts as asked for
 * @throws ShapeError when shapes do not fit, N does not divide by `splits`, or a split has one value a channel
 */
export function batchNorm(x: Tensor, options: BatchNormOptions): Tensor {
  const dtype = floatType('batchNorm', x);
  checkOptions('batchNorm', options, rules);
  const p = paramsOf(x, options);
  const { gamma, beta, runningMean, runningVar, train, statistics, residual, relu = residual !== undefined } = options;
  const affine = gamma !== undefined;
  let [mean, variance] = [runningMean, runningVar];
  if (train) {
    [mean, variance] = [empty([p.splits, p.C], 'f32', x.backend), empty([p.splits, p.C], 'f32', x.backend)];
    const [out, all] = [[mean, variance, runningMean, runningVar], { ...p, momentum: options.momentum ?? 0.1 }];
    if (statistics)
      run(statsTilesPrimitive, [x, statistics.mean, statistics.m2], out, { ...all, tile: statistics.rows });
    else run(statsPrimitive, [x], out, all);
  }
  const y = empty(x.shape, dtype, x.backend);
  run(normalisePrimitive, [x, mean, variance, gamma ?? mean, beta ?? mean, residual ?? x], [y], {
    ...p,
    affine,
    add: residual !== undefined,
    relu,
  });
  const inputs = [x, ...(gamma && beta ? [gamma, beta] : []), ...(residual ? [residual] : [])];
  const saved = { p, x, y, mean, variance, gamma, residual, relu, train };
  return record('batchNorm', y, inputs, (dy, places) => gradients(saved, dy, places));
}

interface Saved extends Pick<BatchNormOptions, 'gamma' | 'residual'> {
  p: BatchNormParams;
  x: Tensor;
  y: Tensor;
  mean: Tensor;
  variance: Tensor;
  relu: boolean;
  train: boolean;
}

// dz = dy [y > 0], dresidual = dz, dbeta = Σ dz, dgamma = Σ dz x̂
// dx = gamma / √(var + eps) (dz - mean(dz) - x̂ mean(dz x̂)), or without the means where statistics are given
function gradients(saved: Saved, dy: Tensor, [ofX, ...rest]: readonly (Place | undefined)[]) {
  const { p, x, y, mean, variance, gamma, residual, relu, train } = saved;
  const make = (...shape: number[]) => empty(shape, 'f32', x.backend);
  const affine = gamma !== undefined;
  const [ofGamma, ofBeta] = affine ? rest : [];
  const ofDz = relu && residual ? rest.at(-1) : undefined;
  const dz = ofDz ? ofDz() : relu ? undefined : dy;
  const [dgamma, dbeta, total] = [ofGamma?.() ?? make(p.C), ofBeta?.() ?? make(p.C), make(p.splits, 2, p.C)];
  if (ofGamma || ofBeta || ofDz || (train && ofX))
    run(sumsPrimitive, [x, dy, y, mean, variance], [total, dgamma, dbeta, ofDz ? dz! : make(1)], {
      ...p,
      relu,
      writeDz: ofDz !== undefined,
    });
  const through = [x, dz ?? dy, y, mean, variance, gamma ?? mean, total];
  const dx = ofX && runTo(ofX(), gradPrimitive, through, { ...p, affine, relu: relu && !dz, train });
  return [dx, ...(affine ? [dgamma, dbeta] : []), ...(residual ? [dz] : [])];
}
