import { atLeast0, checkOptions } from '../core/check.js';
import { type LarsOptions, type LarsTable, lars, larsRules, larsTable } from '../ops/lars.js';
import type { Guard } from '../ops/update.js';
import { zeros } from '../tensor/fill.js';
import { state, type Tensor } from '../tensor/tensor.js';
import type { FlatParameters, Trainable } from './flat.js';
import { type LearningRate, lrRule, Optimizer } from './optimizer.js';

const rules = { ...larsRules, momentum: atLeast0, weightDecay: atLeast0, lr: lrRule };

/**
 * LARS as MoCo v3 trains ResNets: filters and matrices are decayed and scaled by their trust ratio, biases and the
 * parameters of norms (one axis at most) are neither. Three dispatches a step. Momentum is 0.9 and decay 0 unless
 * given.
 */
export class LARS extends Optimizer {
  /** [length], the momentum buffer, in the layout of the parameters. */
  readonly velocity: Tensor;
  readonly #table: LarsTable;
  readonly #options: LarsOptions;

  constructor(given: Trainable | FlatParameters, options: Partial<LarsOptions> & { lr?: LearningRate }) {
    checkOptions('LARS', options, rules, ['guard']);
    const { lr, ...others } = options;
    super('LARS', given, lr);
    const { parameters } = this;
    this.velocity = state(zeros(parameters.values.shape));
    const part = (name: string, p: Tensor) => ({
      start: parameters.startOf(name),
      length: p.size,
      adapted: p.rank > 1,
    });
    const { chunks, ranges } = larsTable([...parameters.named].map(([name, p]) => part(name, p)));
    this.#table = { chunks: state(chunks), ranges: state(ranges) };
    this.#options = { momentum: 0.9, weightDecay: 0, ...others };
  }

  protected update(w: Tensor, dw: Tensor, rate: Tensor, guard?: Guard): void {
    lars(w, dw, this.velocity, this.#table, rate, { ...this.#options, guard });
  }

  state(): Map<string, Tensor> {
    return new Map([['velocity', this.velocity], ...this.parameters.state()]);
  }
}
