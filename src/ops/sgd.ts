import source from '../../kernels/sgd.wgsl';
import type { Primitive } from '../backend/backend.js';
import { ConfigError, ShapeError } from '../core/errors.js';
import { show } from '../core/shape.js';
import { kernel } from '../gpu/kernel.js';
import { type SgdParams, sgd as mirror } from '../reference/sgd.js';
import { checkDType, checkSameShape, run, type Tensor } from '../tensor.js';

const shader = kernel('sgd', source);

const primitive: Primitive<SgdParams> = {
  name: 'sgd',
  mirror,
  gpu: ({ nesterov, ...params }) => ({ kernel: shader, constants: { NESTEROV: nesterov ? 1 : 0 }, params, groups: Math.ceil(params.length / 256) }),
};

export interface SgdOptions {
  momentum: number;
  /** Added to every gradient as weightDecay · w. */
  weightDecay: number;
  nesterov?: boolean;
}

/**
 * One step of stochastic gradient descent with momentum, in place, exactly as torch.optim.SGD without dampening:
 * g = dw + weightDecay w, v = momentum v + g, w = w - lr v (Nesterov: w = w - lr (g + momentum v)).
 *
 * @param w parameters, f32, for instance all of them in one flat tensor.
 * @param dw their gradients; `v` their velocity, zeros before the first step; both of w's shape.
 * @param lr the learning rate, a one-element tensor, so that it may change from step to step.
 */
export function sgd(w: Tensor, dw: Tensor, v: Tensor, lr: Tensor, { momentum, weightDecay, nesterov = false }: SgdOptions): void {
  for (const x of [w, dw, v, lr]) checkDType('sgd', x, 'f32');
  checkSameShape('sgd', 'the gradient', dw, w.shape);
  checkSameShape('sgd', 'the velocity', v, w.shape);
  if (lr.size !== 1) throw new ShapeError(`sgd: lr must have one element; got ${show(lr.shape)}. Pass tensor([0.03]).`);
  if (!(momentum >= 0 && weightDecay >= 0))
    throw new ConfigError(`sgd: momentum and weight decay are not negative; got ${momentum} and ${weightDecay}. Use 0 to turn one off.`);
  if (nesterov && momentum === 0) throw new ConfigError('sgd: Nesterov needs a momentum above 0; got 0. Set one, or leave nesterov out.');
  run(primitive, [dw, lr], [w, v], { length: w.size, momentum, weightDecay, nesterov });
}
