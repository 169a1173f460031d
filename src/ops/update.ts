import { ShapeError } from '../core/errors.js';
import { show } from '../core/shape.js';
import { checkDType, checkSameShape, type Tensor } from '../tensor.js';

/**
 * f32 [1], for gradients of a scaled loss: they are multiplied by it, and where it is 0 the step changes nothing, neither
 * parameters nor state nor what past steps are remembered by. See `LossScale`.
 */
export type Guard = Tensor;

/** Throws unless gradient and state are like the parameters `w`, and `lr` and the guard are one number. */
export function checkUpdate(where: string, w: Tensor, like: Record<string, Tensor>, lr: Tensor, guard?: Guard): void {
  for (const x of [w, ...Object.values(like), lr]) checkDType(where, x, 'f32');
  for (const [name, x] of Object.entries(like)) checkSameShape(where, `the ${name}`, x, w.shape);
  if (lr.size !== 1) throw new ShapeError(`${where}: lr must have one element; got ${show(lr.shape)}. Pass tensor([0.03]).`);
  checkGuard(where, guard);
}

/** Throws unless the guard, if there is one, is one number. */
export function checkGuard(where: string, guard?: Guard): void {
  if (guard) checkDType(where, guard, 'f32');
  if (guard && guard.size !== 1) throw new ShapeError(`${where}: the guard must have one element; got ${show(guard.shape)}. Pass that of a LossScale.`);
}
