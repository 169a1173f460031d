import { check, checkOptions, instance, listOf } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { checkShape, numel, type Shape, show } from '../core/shape.js';
import { Module } from '../nn/module.js';
import { runningStatistics } from '../nn/running-statistics.js';
import { type LossScaleOptions, lossScale, lossScaleRules } from '../ops/loss_scale.js';
import { restore } from '../ops/restore.js';
import type { Guard } from '../ops/update.js';
import { copyInto } from '../tensor/accumulate.js';
import { zeros } from '../tensor/fill.js';
import { empty, state, Tensor, tensor, view } from '../tensor/tensor.js';
import { together } from './flat-buffer.js';

/**
 * Dynamic loss scaling (Micikevicius et al., arXiv:1710.03740): halves hold nothing below 6e-8, so the loss is scaled
 * up before gradients are taken and these down where the optimizer reads them. A step whose gradients or running
 * statistics are not finite changes nothing, and halves the scale; after 2000 good steps in a row it doubles. All of it
 * is on the device, so that a recorded step decides for itself; counts on the host, as a batch norm's of batches, are
 * of steps tried.
 *
 * Give one to `FlatParameters.lossScale`, and `backward` its seed; tell it by `protect` what steps change before their
 * gradients are known, and begin each by `keep`.
 */
export class LossScale {
  /** The state to begin with: torch.amp.GradScaler's. */
  static readonly first: readonly number[] = [65536, 0, 0, 0];
  /** f32 [4]: the scale, good steps since it last changed, steps skipped in all, and those in a row up to now. */
  readonly state: Tensor;
  /** f32 [1]: what makes gradients of the latest step those of the loss, 1 / scale; 0 if the step was skipped. */
  readonly guard: Guard;
  readonly #options: LossScaleOptions;
  /** Running statistics, in one buffer. */
  #statistics?: Tensor;
  /** What a skipped step has to give back, and what it was when the step began. */
  #early: readonly Tensor[] = [];
  #saved: readonly Tensor[] = [];

  constructor(options: LossScaleOptions = {}) {
    checkOptions('LossScale', options, lossScaleRules);
    this.state = state(tensor(LossScale.first));
    this.guard = state(zeros([1]));
    this.#options = options;
  }

  /** The scale as the gradient of a loss of `shape`, one element. */
  seed(shape: Shape): Tensor {
    checkShape('seed', shape);
    if (numel(shape) !== 1)
      throw new ShapeError(`seed: the loss must have one element; got ${show(shape)}. Reduce it with mean() or sum().`);
    return view(this.state, shape);
  }

  /**
   * Names what a step changes before its gradients are known, once: running statistics of `models`, which move into one
   * buffer, and `others`, f32, such as a momentum encoder's parameters.
   */
  protect(models: readonly Module[], others: readonly Tensor[] = []): void {
    check('protect', 'the models', models, listOf(instance(Module, 'Module')));
    check('protect', 'the others', others, listOf(instance(Tensor, 'Tensor')));
    const statistics = [...new Set(models.flatMap((m) => [...runningStatistics(m)]))];
    this.#statistics = statistics.length > 0 ? together(statistics) : undefined;
    this.#early = [...(this.#statistics ? [this.#statistics] : []), ...others];
  }

  /** Begins a step: what is protected is saved as it is now, until `test`. */
  keep(): void {
    this.#saved = this.#early.map((x) => {
      const saved = empty(x.shape, 'f32', x.backend);
      copyInto(saved, x);
      return saved;
    });
  }

  /**
   * Tests gradients, sets the scale of the next step and, if this one is skipped, gives back what it changed. Returns
   * its guard.
   */
  test(grads: Tensor): Guard {
    lossScale(grads, this.state, this.guard, { ...this.#options, statistics: this.#statistics });
    this.#saved.forEach((saved, i) => restore(this.#early[i], saved, this.guard));
    this.#saved = [];
    return this.guard;
  }
}
