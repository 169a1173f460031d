import type { Rng } from '../core/rng.js';
import { add } from '../ops/binary.js';
import { matmul } from '../ops/matmul.js';
import { relu } from '../ops/unary.js';
import type { Tensor } from '../tensor.js';
import { uniform } from './init.js';
import { Module } from './module.js';

/** y = x Wᵀ + b. weight: [outputs, inputs], bias: [outputs], both U(±1/√inputs) as PyTorch's Linear. */
export class Linear extends Module {
  readonly weight: Tensor;
  readonly bias?: Tensor;

  constructor(rng: Rng, inputs: number, outputs: number, { bias = true } = {}) {
    super();
    this.weight = uniform(rng, [outputs, inputs], 1 / Math.sqrt(inputs));
    if (bias) this.bias = uniform(rng, [outputs], 1 / Math.sqrt(inputs));
  }

  forward(x: Tensor): Tensor {
    const y = matmul(x, this.weight, { transposeB: true });
    return this.bias ? add(y, this.bias) : y;
  }
}

/** max(x, 0) as a layer. */
export class Relu extends Module {
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

  forward(x: Tensor): Tensor {
    return this.#layers.reduce((y, layer) => layer.forward(y), x);
  }
}
