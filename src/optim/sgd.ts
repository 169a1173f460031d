import { atLeast0, checkOptions } from '../core/check.js';
import { type SgdOptions, sgd, sgdRules } from '../ops/sgd.js';
import type { Guard } from '../ops/update.js';
import { zeros } from '../tensor/fill.js';
import { state, type Tensor } from '../tensor/tensor.js';
import type { FlatParameters, Trainable } from './flat.js';
import { type LearningRate, lrRule, Optimizer } from './optimizer.js';

const rules = { ...sgdRules, momentum: atLeast0, weightDecay: atLeast0, lr: lrRule };

/**
 * SGD with momentum and weight decay on every parameter, as PyTorch's, in one dispatch a step. Both are 0 unless given.
 */
export class SGD extends Optimizer {
  /** [length], the momentum buffer, in the layout of the parameters. */
  readonly velocity: Tensor;
  readonly #options: SgdOptions;

  constructor(given: Trainable | FlatParameters, options: Partial<SgdOptions> & { lr?: LearningRate }) {
    checkOptions('SGD', options, rules, ['guard']);
    const { lr, ...others } = options;
    super('SGD', given, lr);
    this.velocity = state(zeros(this.parameters.values.shape));
    this.#options = { momentum: 0, weightDecay: 0, ...others };
  }

  protected update(w: Tensor, dw: Tensor, rate: Tensor, guard?: Guard): void {
    sgd(w, dw, this.velocity, rate, { ...this.#options, guard });
  }

  state(): Map<string, Tensor> {
    return new Map([['velocity', this.velocity], ...this.parameters.state()]);
  }
}
