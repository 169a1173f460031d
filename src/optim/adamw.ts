import { zeros } from '../fill.js';
import { type AdamWOptions, type AdamWState, adamw } from '../ops/adamw.js';
import { state, type Tensor } from '../tensor.js';
import type { FlatParameters } from './flat.js';
import type { Optimizer } from './optimizer.js';

/** AdamW with weight decay on every parameter, biases and norms too, as MoCo v3 trains vision transformers. */
export class AdamW implements Optimizer {
  readonly parameters: FlatParameters;
  readonly moments: AdamWState;
  readonly #options: AdamWOptions;

  constructor(parameters: FlatParameters, options: AdamWOptions) {
    this.parameters = parameters;
    const { shape } = parameters.values;
    this.moments = { m: state(zeros(shape)), v: state(zeros(shape)), corrections: state(zeros([2])) };
    this.#options = options;
  }

  step(lr: Tensor): void {
    this.parameters.update((w, dw, guard) => adamw(w, dw, this.moments, lr, { ...this.#options, guard }));
  }

  state(): Map<string, Tensor> {
    return new Map<string, Tensor>([...Object.entries(this.moments), ...this.parameters.state()]);
  }
}
