import source from '../../kernels/sgd.wgsl';
import type { Primitive } from '../backend/backend.js';
import { elementsLaunch } from '../backend/elements.js';
import { anything, atLeast0, checkOptions, flag, needed } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { widths } from '../gpu/widths.js';
import type { SgdParams } from '../reference/sgd.js';
import { run } from '../tensor/run.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkUpdate, type Guard, type Rate } from './update.js';

const kernels = widths('sgd', source);

const primitive: Primitive<SgdParams> = {
  name: 'sgd',
  gpu: ({ nesterov, scaled, length, ...params }) =>
    elementsLaunch(kernels, length, params, { NESTEROV: Number(nesterov), SCALED: Number(scaled) }),
};

/** Momentum and weight decay of SGD. */
export interface SgdOptions {
  momentum: number;
  /** Added to every gradient as weightDecay · w. */
  weightDecay: number;
  nesterov?: boolean;
  guard?: Guard;
}

/** What each option must be. */
export const sgdRules = { momentum: needed(atLeast0), weightDecay: needed(atLeast0), nesterov: flag, guard: anything };

/**
 * One step of stochastic gradient descent with momentum, in place, exactly as torch.optim.SGD without dampening:
 * g = dw + weightDecay w, v = momentum v + g, w = w - lr v (Nesterov: w = w - lr (g + momentum v)).
 *
 * @param w parameters, f32, for instance all of them in one flat tensor.
 * @param dw their gradients; `v` their velocity, zeros before the first step; both of w's shape.
 * @param lr the learning rate, a one-element tensor, so that it may change from step to step, or outside of compiled
 * functions a number.
 */
export function sgd(w: Tensor, dw: Tensor, v: Tensor, lr: Rate, options: SgdOptions): void {
  checkOptions('sgd', options, sgdRules);
  const { momentum, weightDecay, nesterov = false, guard } = options;
  const rate = checkUpdate('sgd', w, { gradient: dw, velocity: v }, lr, guard);
  if (nesterov && momentum === 0)
    throw new ConfigError('sgd: momentum must be above 0 for Nesterov; got 0. Set one, or leave nesterov out.');
  run(primitive, [dw, rate, guard ?? rate], [w, v], {
    length: w.size,
    momentum,
    weightDecay,
    nesterov,
    scaled: guard !== undefined,
  });
}
