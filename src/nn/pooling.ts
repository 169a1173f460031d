import { checkOptions } from '../core/check.js';
import { avgPool, globalAvgPool } from '../ops/avg_pool.js';
import { maxPool } from '../ops/max_pool.js';
import type { Pair } from '../ops/pair.js';
import { type PoolOptions, poolRules } from '../ops/pool.js';
import { reshape } from '../ops/reshape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';

/** A layer of windows; the stride is a window's size unless given, as PyTorch's. */
abstract class Pool extends Module {
  protected readonly options: PoolOptions;

  constructor(where: string, kernel: Pair, options: Omit<PoolOptions, 'kernel'>) {
    super();
    checkOptions(where, options, { stride: poolRules.stride, padding: poolRules.padding });
    this.options = { kernel, ...options };
    checkOptions(where, this.options, poolRules);
  }
}

/** The largest value of each window as a layer: see `maxPool`. */
export class MaxPool2d extends Pool {
  constructor(kernel: Pair, options: Omit<PoolOptions, 'kernel'> = {}) {
    super('MaxPool2d', kernel, options);
  }

  /** [N, H, W, C] -> [N, P, Q, C]. */
  forward(x: Tensor): Tensor {
    return maxPool(x, this.options);
  }
}

/** The mean of each window as a layer: see `avgPool`. */
export class AvgPool2d extends Pool {
  constructor(kernel: Pair, options: Omit<PoolOptions, 'kernel'> = {}) {
    super('AvgPool2d', kernel, options);
  }

  /** [N, H, W, C] -> [N, P, Q, C]. */
  forward(x: Tensor): Tensor {
    return avgPool(x, this.options);
  }
}

/** The mean of each channel as a layer. */
export class GlobalAvgPool2d extends Module {
  /** [N, H, W, C] -> [N, C]. */
  forward(x: Tensor): Tensor {
    return globalAvgPool(x);
  }
}

/** All axes but the first as one, as a layer. */
export class Flatten extends Module {
  /** [N, ..] -> [N, size / N]. */
  forward(x: Tensor): Tensor {
    return reshape(x, [x.shape[0], -1]);
  }
}
