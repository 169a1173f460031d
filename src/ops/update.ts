import { ShapeError } from '../core/errors.js';
import { show } from '../core/shape.js';
import { checkDType, checkSameShape, type Tensor } from '../tensor.js';

/**
 * f32 [1], for gradients of a scaled loss: they are multiplied by it, and where it is 0 the step changes nothing, neither
 * parameters nor state. See `LossScale`.
 */
export type Guard = Tensor;

/** Throws unless gradient and state are like the parameters `w`, and `lr` and the guard are one number. */
export function checkUpdate(where: string, w: Tensor, like: Record<string, Tensor>, lr: Tensor, guard: Guard = lr): void {
  for (const x of [w, ...Object.values(like), lr, guard]) checkDType(where, x, 'f32');
  for (const [name, x] of Object.entries(like)) checkSameShape(where, `the ${name}`, x, w.shape);
  if (lr.size !== 1) throw new ShapeError(`${where}: lr must have one element; got ${show(lr.shape)}. Pass tensor([0.03]).`);
  if (guard.size !== 1) throw new ShapeError(`${where}: the guard must have one element; got ${show(guard.shape)}. Pass that of a LossScale.`);
}
