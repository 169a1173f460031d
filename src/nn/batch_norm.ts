import { batchNorm } from '../ops/batch_norm.js';
import { dependsOn, onReplay } from '../replay.js';
import type { Tensor } from '../tensor.js';
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

/** Batch normalisation over the last axis: eps 1e-5, momentum 0.1, weight 1, bias 0, as PyTorch's. */
export class BatchNorm extends Module {
  readonly weight?: Tensor;
  readonly bias?: Tensor;
  readonly runningMean: Tensor;
  readonly runningVar: Tensor;
  readonly numBatchesTracked: Counter = { value: 0 };
  readonly #splits: number;

  constructor(channels: number, { splits = 1, affine = true, weight = 1 }: BatchNormOptions = {}) {
    super();
    if (affine) {
      this.weight = constant([channels], weight);
      this.bias = constant([channels], 0);
    }
    this.runningMean = buffer([channels], 0);
    this.runningVar = buffer([channels], 1);
    this.#splits = splits;
  }

  /** bn(x), or relu(bn(x) + residual) in the passes over memory that bn(x) alone needs. */
  forward(x: Tensor, { relu = false, residual }: { relu?: boolean; residual?: Tensor } = {}): Tensor {
    dependsOn(this, () => this.training);
    if (this.training) {
      const count = () => void this.numBatchesTracked.value++;
      count();
      onReplay(count);
    }
    const { weight: gamma, bias: beta, runningMean, runningVar, training: train } = this;
    return batchNorm(x, { gamma, beta, runningMean, runningVar, train, splits: this.#splits, relu, residual });
  }
}
