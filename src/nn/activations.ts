import { gelu, relu } from '../ops/unary.js';
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';

/** max(x, 0) as a layer. */
export class ReLU extends Module {
  /** max(x, 0), of any shape. */
  forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** x Φ(x) as a layer: see `gelu`. */
export class GELU extends Module {
  /** x Φ(x), of any shape. */
  forward(x: Tensor): Tensor {
    return gelu(x);
  }
}
