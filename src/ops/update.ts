import { atLeast0, check, type Rule } from '../core/check.js';
import { ConfigError, ShapeError } from '../core/errors.js';
import { show } from '../core/shape.js';
import { recording } from '../tensor/replay.js';
import { checkDType, checkSameShape, type Tensor, tensor } from '../tensor/tensor.js';

/**
 * f32 [1], for gradients of a scaled loss: they are multiplied by it, and where it is 0 the step changes nothing,
 * neither parameters nor state nor what past steps are remembered by. See `LossScale`.
 */
export type Guard = Tensor;

/** A rate that changes from step to step: a tensor f32 of one element, or outside of compiled functions a number. */
export type Rate = Tensor | number;

/** A rate as a tensor. @throws ConfigError for a number inside a recording, which would never change. */
export function rateOf(where: string, what: string, rate: Rate, rule: Rule): Tensor {
  if (typeof rate === 'number') {
    check(where, what, rate, rule);
    if (recording())
      throw new ConfigError(
        `${where}: ${what} must be a tensor inside a compiled function, where a number stays; got ${rate}. ` +
          `Pass it as an argument.`,
      );
    return tensor([rate]);
  }
  checkDType(where, rate, 'f32');
  if (rate.size !== 1)
    throw new ShapeError(`${where}: ${what} must have one element; got ${show(rate.shape)}. Pass tensor([0.03]), say.`);
  return rate;
}

/** Throws unless gradient and state are like the parameters `w`, and `lr` and the guard are one number. Returns lr. */
export function checkUpdate(where: string, w: Tensor, like: Record<string, Tensor>, lr: Rate, guard?: Guard): Tensor {
  for (const x of [w, ...Object.values(like)]) checkDType(where, x, 'f32');
  for (const [name, x] of Object.entries(like)) checkSameShape(where, `the ${name}`, x, w.shape);
  checkGuard(where, guard);
  return rateOf(where, 'lr', lr, atLeast0);
}

/** Throws unless the guard, if there is one, is one number. */
export function checkGuard(where: string, guard?: Guard): void {
  if (guard === undefined) return;
  checkDType(where, guard, 'f32');
  if (guard.size !== 1)
    throw new ShapeError(
      `${where}: the guard must have one element; got ${show(guard.shape)}. Pass that of a LossScale.`,
    );
}
