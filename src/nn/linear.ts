import { atLeast0, check, checkOptions, flag, instance, listOf, whole } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { show } from '../core/shape.js';
import { linear } from '../ops/linear.js';
import { reshape } from '../ops/reshape.js';
import type { Tensor } from '../tensor/tensor.js';
import { generatorOf, type Seed, seedRule, uniform } from './init.js';
import { Module } from './module.js';

export interface LinearOptions {
  /** Default true. */
  bias?: boolean;
  /** Weights are U(±bound) and biases 0. Default: both U(±1/√inputs), as PyTorch's Linear. */
  bound?: number;
  /** Of the first values. Default: what `manualSeed` set. */
  seed?: Seed;
}

/** y = x Wᵀ + b over the last axis. weight: [outputs, inputs], bias: [outputs]. */
export class Linear extends Module {
  readonly weight: Tensor;
  readonly bias?: Tensor;

  constructor(inputs: number, outputs: number, options: LinearOptions = {}) {
    super();
    check('Linear', 'inputs', inputs, whole(1));
    check('Linear', 'outputs', outputs, whole(1));
    checkOptions('Linear', options, { bias: flag, bound: atLeast0, seed: seedRule });
    const { bias = true, bound, seed } = options;
    const rng = generatorOf(seed);
    this.weight = uniform(rng, [outputs, inputs], bound ?? 1 / Math.sqrt(inputs));
    if (bias) this.bias = uniform(rng, [outputs], bound === undefined ? 1 / Math.sqrt(inputs) : 0);
  }

  /** [.., inputs] -> [.., outputs]. */
  forward(x: Tensor): Tensor {
    const [outputs, inputs] = this.weight.shape;
    if (x.rank < 2 || x.shape[x.rank - 1] !== inputs)
      throw new ShapeError(
        `Linear: x must be [.., ${inputs}]; got ${show(x.shape)}. Reshape it, or build another layer.`,
      );
    const rows = x.rank > 2 ? reshape(x, [x.size / inputs, inputs]) : x; // one product, for the weights' gradient too
    const y = linear(rows, this.weight, this.bias);
    return x.rank > 2 ? reshape(y, [...x.shape.slice(0, -1), outputs]) : y;
  }
}

/** Layers one after another, named by their place: `0.weight`, `2.bias`. */
export class Sequential extends Module {
  readonly #layers: readonly Module[];

  constructor(...layers: Module[]) {
    super();
    check('Sequential', 'the layers', layers, listOf(instance(Module, 'Module')), 'Pass them one after another.');
    this.#layers = layers;
  }

  override children(): [string, Module][] {
    return this.#layers.map((layer, i) => [String(i), layer]);
  }

  /** `x` through all layers. */
  forward(x: Tensor): Tensor {
    return this.#layers.reduce((y, layer) => layer.call(y), x);
  }
}
