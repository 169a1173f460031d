import { atLeast0, check, checkOptions, whole } from '../core/check.js';
import { layerNorm } from '../ops/layer_norm.js';
import type { Tensor } from '../tensor/tensor.js';
import { constant } from './init.js';
import { Module } from './module.js';

/**
 * Layer normalisation over the last axis: weight 1, bias 0, [C] each, as PyTorch's; eps 1e-6, as vision transformers'.
 */
export class LayerNorm extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly #eps: number;

  constructor(columns: number, options: { eps?: number } = {}) {
    super();
    check('LayerNorm', 'columns', columns, whole(1));
    checkOptions('LayerNorm', options, { eps: atLeast0 });
    this.weight = constant([columns], 1);
    this.bias = constant([columns], 0);
    this.#eps = options.eps ?? 1e-6;
  }

  /** Each row along the last axis normalised by itself; the shape stays. */
  forward(x: Tensor): Tensor {
    return layerNorm(x, this.weight, this.bias, { eps: this.#eps });
  }
}
