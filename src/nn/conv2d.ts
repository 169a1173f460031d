import { atLeast0, check, checkOptions, flag, oneOf, whole } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { add } from '../ops/binary.js';
import { type Conv2dOptions, conv2d, conv2dRules, type StatisticsRequest } from '../ops/conv2d.js';
import type { Tensor } from '../tensor/tensor.js';
import { generatorOf, normal, type Seed, seedRule, uniform } from './init.js';
import { Module } from './module.js';

export interface Conv2dLayerOptions extends Conv2dOptions {
  /**
   * `fan-out`: Kaiming normal for ReLU, std = √(2 / (O R S)), as torchvision's ResNet (default).
   * `torch`: the default of PyTorch's Conv2d, U(±1/√(C R S)).
   */
  init?: 'fan-out' | 'torch';
  /** Weights are U(±bound) and biases 0, whatever `init` says. */
  bound?: number;
  /** Add a bias that starts as PyTorch's Conv2d's. Default false. */
  bias?: boolean;
  /** Of the first values. Default: what `manualSeed` set. */
  seed?: Seed;
}

const rules = { ...conv2dRules, init: oneOf('fan-out', 'torch'), bound: atLeast0, bias: flag, seed: seedRule };

/** A convolution. weight: [O, R, S, C / groups], bias: [O] if asked for. */
export class Conv2d extends Module {
  readonly weight: Tensor;
  readonly bias?: Tensor;
  readonly #options: Conv2dOptions;

  constructor(channels: number, outputs: number, kernel: number, given: Conv2dLayerOptions = {}) {
    super();
    for (const [name, v] of Object.entries({ channels, outputs, kernel })) check('Conv2d', name, v, whole(1));
    checkOptions('Conv2d', given, rules);
    const { init = 'fan-out', bound, bias = false, seed, ...options } = given;
    const rng = generatorOf(seed);
    const groups = options.groups ?? 1;
    if (channels % groups !== 0 || outputs % groups !== 0)
      throw new ConfigError(
        `Conv2d: groups must divide channels and outputs; got ${groups} groups, ` +
          `${channels} channels and ${outputs} outputs. Choose a divisor.`,
      );
    const taps = kernel * kernel;
    const inputs = channels / groups;
    const shape = [outputs, kernel, kernel, inputs];
    const spread = 1 / Math.sqrt(inputs * taps);
    const even = bound !== undefined || init === 'torch';
    this.weight = even ? uniform(rng, shape, bound ?? spread) : normal(rng, shape, Math.sqrt(2 / (outputs * taps)));
    if (bias) this.bias = uniform(rng, [outputs], bound === undefined ? spread : 0);
    this.#options = options;
  }

  /** [N, H, W, C] -> [N, P, Q, O], see `conv2d`. */
  forward(x: Tensor, request?: StatisticsRequest): Tensor {
    const y = conv2d(x, this.weight, this.#options, this.bias ? undefined : request);
    return this.bias ? add(y, this.bias) : y;
  }
}
