import { atLeast0, check, type Rule, whole } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { type Guard, type Rate, rateOf } from '../ops/update.js';
import { onReplayed } from '../tensor/replay.js';
import { state, type Tensor, tensor } from '../tensor/tensor.js';
import { type FlatParameters, parametersOf, type Trainable } from './flat.js';

/** A learning rate, or a schedule: the rate of the step after so many. */
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
  /** f32 [1], the rate of the next step. */
  readonly #rate?: Tensor;
  #steps = 0;

  constructor(where: string, given: FlatParameters | Trainable, lr?: LearningRate) {
    this.parameters = parametersOf(where, given);
    this.#lr = lr;
    if (lr !== undefined) this.#rate = state(tensor([this.#rateAt(0)]));
  }

  /** Steps made. Setting it, as to go on with a checkpoint, sets a schedule's rate too. */
  get steps(): number {
    return this.#steps;
  }

  set steps(steps: number) {
    check('steps', 'they', steps, whole(0));
    this.#steps = steps;
    if (typeof this.#lr === 'function') this.#rate!.set([this.#rateAt(steps)]);
  }

  #rateAt(step: number): number {
    const rate = typeof this.#lr === 'function' ? this.#lr(step) : this.#lr!;
    check(this.constructor.name, 'lr', rate, atLeast0);
    return rate;
  }

  /**
   * One update by the gradients there are.
   *
   * @param lr its rate in place of the option: f32 [1], or outside of compiled functions a number.
   * @throws ConfigError where neither is given.
   */
  step(lr?: Rate): void {
    const where = this.constructor.name;
    if (lr === undefined && !this.#rate)
      throw new ConfigError(`${where}: a step must have a learning rate; got none. Make the optimizer with { lr }.`);
    const rate = lr === undefined ? this.#rate! : rateOf(where, 'lr', lr, atLeast0); // before gradients are spent
    this.parameters.update((w, dw, guard) => this.update(w, dw, rate, guard));
    onReplayed(() => void this.steps++);
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
