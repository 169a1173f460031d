import type { Shape } from '../core/shape.js';
import { zeros } from '../fill.js';
import { lossScale, type LossScaleOptions } from '../ops/loss_scale.js';
import type { Guard } from '../ops/update.js';
import { state, type Tensor, tensor, view } from '../tensor.js';

/** What the scale is to begin with: torch.amp.GradScaler's. */
const FIRST = 65536;

/**
 * Dynamic loss scaling (Micikevicius et al., arXiv:1710.03740): halves hold nothing below 6e-8, so the loss is scaled up
 * before gradients are taken and these down where the optimizer reads them. A step whose gradients are not finite changes
 * nothing, and halves the scale; after 2000 good steps in a row it doubles. All of it is on the device, so that a recorded
 * step decides for itself. Give one to `FlatParameters.lossScale`, and `backward` its seed.
 */
export class LossScale {
  /** f32 [4]: the scale, good steps since it last changed, steps skipped in all, and those in a row up to now. */
  readonly state: Tensor;
  /** f32 [1]: what makes gradients of the latest step those of the loss, 1 / scale; 0 if the step was skipped. */
  readonly guard: Guard;
  readonly #options: LossScaleOptions;

  constructor(options: LossScaleOptions = {}) {
    this.state = state(tensor([FIRST, 0, 0, 0]));
    this.guard = state(zeros([1]));
    this.#options = options;
  }

  /** The scale as the gradient of a loss of `shape`, one element. */
  seed(shape: Shape): Tensor {
    return view(this.state, shape);
  }

  /** Tests gradients and sets the scale of the next step. Returns the guard of this one. */
  test(grads: Tensor): Guard {
    lossScale(grads, this.state, this.guard, this.#options);
    return this.guard;
  }
}
