import { atLeast0, checkOptions } from '../core/check.js';
import { zeros } from '../tensor/fill.js';
import type { Module } from '../nn/module.js';
import { sgd, type SgdOptions, sgdRules } from '../ops/sgd.js';
import { type Rate, rateOf } from '../ops/update.js';
import { state, type Tensor } from '../tensor/tensor.js';
import { type FlatParameters, parametersOf } from './flat.js';
import type { Optimizer } from './optimizer.js';

/** SGD with momentum and weight decay on every parameter, as PyTorch's, in one dispatch a step. */
export class SGD implements Optimizer {
  readonly parameters: FlatParameters;
  /** [length], the momentum buffer, in the layout of the parameters. */
  readonly velocity: Tensor;
  readonly #options: SgdOptions;

  constructor(given: FlatParameters | Module, options: SgdOptions) {
    checkOptions('SGD', options, sgdRules, ['guard']);
    const parameters = (this.parameters = parametersOf('SGD', given));
    this.velocity = state(zeros(parameters.values.shape));
    this.#options = options;
  }

  step(lr: Rate): void {
    const rate = rateOf('SGD', 'lr', lr, atLeast0); // before gradients are spent
    this.parameters.update((w, dw, guard) => sgd(w, dw, this.velocity, rate, { ...this.#options, guard }));
  }

  state(): Map<string, Tensor> {
    return new Map([['velocity', this.velocity], ...this.parameters.state()]);
  }
}
