import { atLeast0, checkOptions } from '../core/check.js';
import { type AdamWOptions, type AdamWState, adamw, adamwRules } from '../ops/adamw.js';
import type { Guard } from '../ops/update.js';
import { zeros } from '../tensor/fill.js';
import { state, type Tensor } from '../tensor/tensor.js';
import type { FlatParameters, Trainable } from './flat.js';
import { type LearningRate, lrRule, Optimizer } from './optimizer.js';

const rules = { ...adamwRules, weightDecay: atLeast0, lr: lrRule };

/**
 * AdamW with weight decay, 0.01 unless given, on every parameter, biases and norms too, as PyTorch's, and as MoCo v3
 * trains vision transformers.
 */
export class AdamW extends Optimizer {
  readonly moments: AdamWState;
  readonly #options: AdamWOptions;

  constructor(given: Trainable | FlatParameters, options: Partial<AdamWOptions> & { lr?: LearningRate }) {
    checkOptions('AdamW', options, rules, ['guard']);
    const { lr, ...others } = options;
    super('AdamW', given, lr);
    const { shape } = this.parameters.values;
    this.moments = { m: state(zeros(shape)), v: state(zeros(shape)), corrections: state(zeros([2])) };
    this.#options = { weightDecay: 0.01, ...others };
  }

  protected update(w: Tensor, dw: Tensor, rate: Tensor, guard?: Guard): void {
    adamw(w, dw, this.moments, rate, { ...this.#options, guard });
  }

  state(): Map<string, Tensor> {
    return new Map<string, Tensor>([...Object.entries(this.moments), ...this.parameters.state()]);
  }
}
