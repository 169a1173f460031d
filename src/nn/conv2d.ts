import type { Rng } from '../core/rng.js';
import { add } from '../ops/binary.js';
import { type Conv2dOptions, conv2d, type StatisticsWish } from '../ops/conv2d.js';
import type { Tensor } from '../tensor.js';
import { normal, uniform } from './init.js';
import { Module } from './module.js';

export interface Conv2dLayerOptions extends Conv2dOptions {
  /**
   * `fan-out`: Kaiming normal for ReLU, std = √(2 / (O R S)), as torchvision's ResNet (default).
   * `torch`: the default of PyTorch's Conv2d, U(±1/√(C R S)).
   */
  init?: 'fan-out' | 'torch';
  /** Weights are U(±bound) and biases 0, whatever `init` says. */
  bound?: number;
  /** Add a bias, drawn as PyTorch's Conv2d draws it. Default false. */
  bias?: boolean;
}

/** A convolution. weight: [O, R, S, C / groups], bias: [O] if asked for. */
export class Conv2d extends Module {
  readonly weight: Tensor;
  readonly bias?: Tensor;
  readonly #options: Conv2dOptions;

  constructor(rng: Rng, channels: number, outputs: number, kernel: number, { init = 'fan-out', bound, bias = false, ...options }: Conv2dLayerOptions = {}) {
    super();
    const taps = kernel * kernel;
    const inputs = channels / (options.groups ?? 1);
    const shape = [outputs, kernel, kernel, inputs];
    const spread = 1 / Math.sqrt(inputs * taps);
    const even = bound !== undefined || init === 'torch';
    this.weight = even ? uniform(rng, shape, bound ?? spread) : normal(rng, shape, Math.sqrt(2 / (outputs * taps)));
    if (bias) this.bias = uniform(rng, [outputs], bound === undefined ? spread : 0);
    this.#options = options;
  }

  /** [N, H, W, C] -> [N, P, Q, O], see `conv2d`. */
  forward(x: Tensor, wish?: StatisticsWish): Tensor {
    const y = conv2d(x, this.weight, this.#options, this.bias ? undefined : wish);
    return this.bias ? add(y, this.bias) : y;
  }
}
