import type { Rng } from '../core/rng.js';
import { linear } from '../ops/linear.js';
import { reshape } from '../ops/reshape.js';
import { relu } from '../ops/unary.js';
import type { Tensor } from '../tensor.js';
import { uniform } from './init.js';
import { Module } from './module.js';

export interface LinearOptions {
  /** Default true. */
  bias?: boolean;
  /** Weights are U(±bound) and biases 0. Default: both U(±1/√inputs), as PyTorch's Linear. */
  bound?: number;
}

/** y = x Wᵀ + b over the last axis. weight: [outputs, inputs], bias: [outputs]. */
export class Linear extends Module {
  readonly weight: Tensor;
  readonly bias?: Tensor;

  constructor(rng: Rng, inputs: number, outputs: number, { bias = true, bound }: LinearOptions = {}) {
    super();
    this.weight = uniform(rng, [outputs, inputs], bound ?? 1 / Math.sqrt(inputs));
    if (bias) this.bias = uniform(rng, [outputs], bound === undefined ? 1 / Math.sqrt(inputs) : 0);
  }

  /** [.., inputs] -> [.., outputs]. */
  forward(x: Tensor): Tensor {
    const [outputs, inputs] = this.weight.shape;
    const rows = x.rank > 2 ? reshape(x, [x.size / inputs, inputs]) : x; // one product, for the weights' gradient too
    const y = linear(rows, this.weight, this.bias);
    return x.rank > 2 ? reshape(y, [...x.shape.slice(0, -1), outputs]) : y;
  }
}

/** max(x, 0) as a layer. */
export class Relu extends Module {
  /** max(x, 0), of any shape. */
  forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** Layers one after another, named by their place: `0.weight`, `2.bias`. */
export class Sequential extends Module {
  readonly #layers: readonly Module[];

  constructor(...layers: Module[]) {
    super();
    this.#layers = layers;
  }

  override children(): [string, Module][] {
    return this.#layers.map((layer, i) => [String(i), layer]);
  }

  /** `x` through all layers. */
  forward(x: Tensor): Tensor {
    return this.#layers.reduce((y, layer) => layer.forward(y), x);
  }
}
