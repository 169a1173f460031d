import { zeros } from '../fill.js';
import { sgd, type SgdOptions } from '../ops/sgd.js';
import { state, type Tensor } from '../tensor.js';
import type { FlatParameters } from './flat.js';
import type { Optimizer } from './optimizer.js';

/** SGD with momentum and weight decay on every parameter, as PyTorch's, in one dispatch a step. */
export class SGD implements Optimizer {
  readonly parameters: FlatParameters;
  /** [length], the momentum buffer, in the layout of the parameters. */
  readonly velocity: Tensor;
  readonly #options: SgdOptions;

  constructor(parameters: FlatParameters, options: SgdOptions) {
    this.parameters = parameters;
    this.velocity = state(zeros(parameters.values.shape));
    this.#options = options;
  }

  step(lr: Tensor): void {
    this.parameters.update((w, dw, guard) => sgd(w, dw, this.velocity, lr, { ...this.#options, guard }));
  }

  state(): Map<string, Tensor> {
    return new Map([['velocity', this.velocity], ...this.parameters.state()]);
  }
}
