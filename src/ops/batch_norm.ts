import { ceilDiv } from '../core/ceil-div.js';
import { anything, atLeast0, checkOptions, flag, needed, type Rule, upTo1, whole } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { numel, show } from '../core/shape.js';
import type { BatchNormParams } from '../reference/batch_norm.js';
import { record } from '../tensor/autograd.js';
import { run, runTo } from '../tensor/run.js';
import { checkDType, checkSameShape, empty, floatType, type Place, type Tensor } from '../tensor/tensor.js';
import type { Stored } from './batch_norm_lanes.js';
import {
  gradPrimitive,
  normalisePrimitive,
  statsPrimitive,
  statsTilesPrimitive,
  sumsPrimitive,
} from './batch_norm_launch.js';

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
  const stored: Stored = { half: dtype === 'f16' ? 1 : 0, alike: (residual ?? x).dtype === dtype };
  let [mean, variance] = [runningMean, runningVar];
  if (train) {
    [mean, variance] = [empty([p.splits, p.C], 'f32', x.backend), empty([p.splits, p.C], 'f32', x.backend)];
    const [out, all] = [[mean, variance, runningMean, runningVar], { ...p, momentum: options.momentum ?? 0.1 }];
    if (statistics)
      run(statsTilesPrimitive, [x, statistics.mean, statistics.m2], out, { ...all, tile: statistics.rows });
    else run(statsPrimitive, [x], out, { ...all, ...stored });
  }
  const y = empty(x.shape, dtype, x.backend);
  run(normalisePrimitive, [x, mean, variance, gamma ?? mean, beta ?? mean, residual ?? x], [y], {
    ...p,
    ...stored,
    affine,
    add: residual !== undefined,
    relu,
  });
  const inputs = [x, ...(gamma && beta ? [gamma, beta] : []), ...(residual ? [residual] : [])];
  const saved = { p: { ...p, ...stored }, x, y, mean, variance, gamma, residual, relu, train };
  return record('batchNorm', y, inputs, (dy, places) => gradients(saved, dy, places));
}

interface Saved extends Pick<BatchNormOptions, 'gamma' | 'residual'> {
  p: BatchNormParams & Stored;
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
