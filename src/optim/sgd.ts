import { zeros } from '../fill.js';
import { sgd, type SgdOptions } from '../ops/sgd.js';
import { state, type Tensor } from '../tensor.js';
import type { FlatParameters } from './flat.js';

/** SGD with momentum and weight decay on every parameter, as PyTorch's, in one dispatch a step. */
export class SGD {
  readonly parameters: FlatParameters;
  /** [length], the momentum buffer, in the layout of the parameters. */
  readonly velocity: Tensor;
  readonly #options: SgdOptions;

  constructor(parameters: FlatParameters, options: SgdOptions) {
    this.parameters = parameters;
    this.velocity = state(zeros(parameters.values.shape));
    this.#options = options;
  }

  /** One update with the learning rate in `lr`, f32 [1]; gradients are spent by it. */
  step(lr: Tensor): void {
    const { values, grads } = this.parameters;
    this.parameters.settle();
    sgd(values, grads!, this.velocity, lr, this.#options);
    this.parameters.zeroGrad();
  }
}
