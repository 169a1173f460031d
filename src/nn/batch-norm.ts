import { anyNumber, anything, check, checkOptions, flag, whole } from '../core/check.js';
import { batchNorm, type TileStatistics } from '../ops/batch_norm.js';
import { onReplay } from '../tensor/replay.js';
import type { Tensor } from '../tensor/tensor.js';
import { buffer, constant } from './init.js';
import { type Counter, Module } from './module.js';

export interface BatchNormOptions {
  /** Parts that a batch is divided into, each normalised by itself (MoCo's split batch norm). Default 1. */
  splits?: number;
  /** Learn a scale and a shift a channel. Default true. */
  affine?: boolean;
  /** What the scale starts as. Default 1. */
  weight?: number;
}

/** What follows in the same pass. */
export interface Epilogue {
  relu?: boolean;
  residual?: Tensor;
}

export const epilogue = { relu: flag, residual: anything };

/** Batch normalisation over the last axis: eps 1e-5, momentum 0.1, weight 1, bias 0, as PyTorch's. */
export class BatchNorm extends Module {
  readonly weight?: Tensor;
  readonly bias?: Tensor;
  readonly runningMean: Tensor;
  readonly runningVar: Tensor;
  readonly numBatchesTracked: Counter = { value: 0 };
  /** Parts that a batch is divided into. */
  readonly splits: number;

  constructor(channels: number, options: BatchNormOptions = {}) {
    super();
    check('BatchNorm', 'channels', channels, whole(1));
    checkOptions('BatchNorm', options, { splits: whole(1), affine: flag, weight: anyNumber });
    const { splits = 1, affine = true, weight = 1 } = options;
    if (affine) {
      this.weight = constant([channels], weight);
      this.bias = constant([channels], 0);
    }
    this.runningMean = buffer([channels], 0);
    this.runningVar = buffer([channels], 1);
    this.splits = splits;
  }

  /**
   * bn(x), or relu(bn(x) + residual) in the passes over memory that bn(x) alone needs; one less with x's statistics.
   */
  forward(x: Tensor, options: Epilogue & { statistics?: TileStatistics } = {}): Tensor {
    checkOptions('BatchNorm', options, { ...epilogue, statistics: anything });
    const { relu = false, residual, statistics } = options;
    if (this.training) {
      const count = () => void this.numBatchesTracked.value++;
      count();
      onReplay(count);
    }
    const { weight: gamma, bias: beta, runningMean, runningVar, training: train } = this;
    return batchNorm(x, {
      gamma,
      beta,
      runningMean,
      runningVar,
      train,
      splits: this.splits,
      statistics,
      relu,
      residual,
    });
  }
}
