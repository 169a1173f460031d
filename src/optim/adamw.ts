import { atLeast0, checkOptions } from '../core/check.js';
import { zeros } from '../tensor/fill.js';
import type { Module } from '../nn/module.js';
import { type AdamWOptions, type AdamWState, adamw, adamwRules } from '../ops/adamw.js';
import { type Rate, rateOf } from '../ops/update.js';
import { state, type Tensor } from '../tensor/tensor.js';
import { type FlatParameters, parametersOf } from './flat.js';
import type { Optimizer } from './optimizer.js';

/** AdamW with weight decay on every parameter, biases and norms too, as MoCo v3 trains vision transformers. */
export class AdamW implements Optimizer {
  readonly parameters: FlatParameters;
  readonly moments: AdamWState;
  readonly #options: AdamWOptions;

  constructor(given: FlatParameters | Module, options: AdamWOptions) {
    checkOptions('AdamW', options, adamwRules, ['guard']);
    const parameters = (this.parameters = parametersOf('AdamW', given));
    const { shape } = parameters.values;
    this.moments = { m: state(zeros(shape)), v: state(zeros(shape)), corrections: state(zeros([2])) };
    this.#options = options;
  }

  step(lr: Rate): void {
    const rate = rateOf('AdamW', 'lr', lr, atLeast0); // before gradients are spent
    this.parameters.update((w, dw, guard) => adamw(w, dw, this.moments, rate, { ...this.#options, guard }));
  }

  state(): Map<string, Tensor> {
    return new Map<string, Tensor>([...Object.entries(this.moments), ...this.parameters.state()]);
  }
}
