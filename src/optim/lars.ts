import { atLeast0, checkOptions } from '../core/check.js';
import { zeros } from '../tensor/fill.js';
import type { Module } from '../nn/module.js';
import { type LarsOptions, type LarsTable, lars, larsTable, larsRules } from '../ops/lars.js';
import { type Rate, rateOf } from '../ops/update.js';
import { state, type Tensor } from '../tensor/tensor.js';
import { type FlatParameters, parametersOf } from './flat.js';
import type { Optimizer } from './optimizer.js';

/**
 * LARS as MoCo v3 trains ResNets: filters and matrices are decayed and scaled by their trust ratio, biases and the
 * parameters of norms (one axis at most) are neither. Three dispatches a step.
 */
export class LARS implements Optimizer {
  readonly parameters: FlatParameters;
  /** [length], the momentum buffer, in the layout of the parameters. */
  readonly velocity: Tensor;
  readonly #table: LarsTable;
  readonly #options: LarsOptions;

  constructor(given: FlatParameters | Module, options: LarsOptions) {
    checkOptions('LARS', options, larsRules, ['guard']);
    const parameters = (this.parameters = parametersOf('LARS', given));
    this.velocity = state(zeros(parameters.values.shape));
    const { chunks, ranges } = larsTable([...parameters.named].map(([name, p]) => ({ start: parameters.startOf(name), length: p.size, adapted: p.rank > 1 })));
    this.#table = { chunks: state(chunks), ranges: state(ranges) };
    this.#options = options;
  }

  step(lr: Rate): void {
    const rate = rateOf('LARS', 'lr', lr, atLeast0); // before gradients are spent
    this.parameters.update((w, dw, guard) => lars(w, dw, this.velocity, this.#table, rate, { ...this.#options, guard }));
  }

  state(): Map<string, Tensor> {
    return new Map([['velocity', this.velocity], ...this.parameters.state()]);
  }
}
