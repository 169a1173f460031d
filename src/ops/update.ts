import { ShapeError } from '../core/errors.js';
import { show } from '../core/shape.js';
import { checkDType, checkSameShape, type Tensor } from '../tensor.js';

/** Throws unless gradient and state are like the parameters `w`, and `lr` is one number. */
export function checkUpdate(where: string, w: Tensor, like: Record<string, Tensor>, lr: Tensor): void {
  for (const x of [w, ...Object.values(like), lr]) checkDType(where, x, 'f32');
  for (const [name, x] of Object.entries(like)) checkSameShape(where, `the ${name}`, x, w.shape);
  if (lr.size !== 1) throw new ShapeError(`${where}: lr must have one element; got ${show(lr.shape)}. Pass tensor([0.03]).`);
}
