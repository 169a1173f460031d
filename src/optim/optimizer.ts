import { atLeast0, check, type Rule, whole } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { type Guard, type Rate, rateOf } from '../ops/update.js';
import { beforeWork } from '../tensor/replay.js';
import { empty, state, type Tensor } from '../tensor/tensor.js';
import { type FlatParameters, parametersOf, type Trainable } from './flat.js';

/** A learning rate, or a schedule: the rate of the step after so many, asked for when that step is made. */
export type LearningRate = number | ((step: number) => number);

/** What the option `lr` must be. */
export const lrRule: Rule = {
  is: 'a number, at least 0, or a function of the step',
  holds: (v) => typeof v === 'function' || atLeast0.holds(v),
};

/**
 * What SGD, LARS and AdamW share. All parameters lie in one buffer, so that a step is one dispatch or three.
 * Gradients are spent by a step: the next `backward` overwrites them, and `zeroGrad` is for those that nobody steps on.
 */
export abstract class Optimizer {
  readonly parameters: FlatParameters;
  readonly #lr?: LearningRate;
  /** f32 [1] each, the rates of the steps that one call of a compiled function makes; of others the first. */
  readonly #rates: Tensor[] = [];
  #steps = 0;

  constructor(where: string, given: FlatParameters | Trainable, lr?: LearningRate) {
    this.parameters = parametersOf(where, given);
    this.#lr = lr;
    if (typeof lr === 'number') this.#rate(0).set([lr]);
  }

  /** Steps made. Set it to go on with a schedule where a checkpoint left off. */
  get steps(): number {
    return this.#steps;
  }

  set steps(steps: number) {
    check('steps', 'they', steps, whole(0));
    this.#steps = steps;
  }

  #rate(nth: number): Tensor {
    this.#rates[nth] ??= state(empty([1], 'f32', this.parameters.values.backend));
    return this.#rates[nth];
  }

  /** The count and, by a schedule, the rate of the next step. */
  #begin(rate?: Tensor): void {
    if (rate && typeof this.#lr === 'function') {
      const lr = this.#lr(this.#steps);
      check(this.constructor.name, 'lr', lr, atLeast0);
      rate.set([lr]);
    }
    this.#steps++;
  }

  /**
   * One update by the gradients there are.
   *
   * @param lr its rate in place of the option: f32 [1], or outside of compiled functions a number.
   * @throws ConfigError where neither is given, or a schedule gives no rate; the step is not made then.
   */
  step(lr?: Rate): void {
    const where = this.constructor.name;
    if (lr === undefined && this.#lr === undefined)
      throw new ConfigError(`${where}: a step must have a learning rate; got none. Make the optimizer with { lr }.`);
    const given = lr === undefined ? undefined : rateOf(where, 'lr', lr, atLeast0); // before gradients are spent
    const own = (nth: number) => this.#rate(typeof this.#lr === 'function' ? nth : 0);
    const nth = beforeWork(this, (n) => this.#begin(given ? undefined : own(n)));
    const rate = given ?? own(nth);
    this.parameters.update((w, dw, guard) => this.update(w, dw, rate, guard));
  }

  /** The next `backward` overwrites the gradients. A step does the same. */
  zeroGrad(): void {
    this.parameters.zeroGrad();
  }

  /** Updates all parameters in place. */
  protected abstract update(w: Tensor, dw: Tensor, rate: Tensor, guard?: Guard): void;

  /** What a checkpoint must hold, by name. A tensor as long as the parameters is laid out as they are. */
  abstract state(): Map<string, Tensor>;
}
