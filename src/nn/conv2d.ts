import type { Rng } from '../core/rng.js';
import { type Conv2dOptions, conv2d } from '../ops/conv2d.js';
import type { Tensor } from '../tensor.js';
import { normal, uniform } from './init.js';
import { Module } from './module.js';

export interface Conv2dLayerOptions extends Conv2dOptions {
  /**
   * `fan-out`: Kaiming normal for ReLU, std = √(2 / (O R S)), as torchvision's ResNet (default).
   * `torch`: the default of PyTorch's Conv2d, U(±1/√(C R S)).
   */
  init?: 'fan-out' | 'torch';
}

/** A convolution without bias. weight: [O, R, S, C / groups]. */
export class Conv2d extends Module {
  readonly weight: Tensor;
  readonly #options: Conv2dOptions;

  constructor(rng: Rng, channels: number, outputs: number, kernel: number, { init = 'fan-out', ...options }: Conv2dLayerOptions = {}) {
    super();
    const taps = kernel * kernel;
    const inputs = channels / (options.groups ?? 1);
    const shape = [outputs, kernel, kernel, inputs];
    this.weight = init === 'torch' ? uniform(rng, shape, 1 / Math.sqrt(inputs * taps)) : normal(rng, shape, Math.sqrt(2 / (outputs * taps)));
    this.#options = options;
  }

  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.#options);
  }
}
