import source from '../../kernels/pick.wgsl';
import type { Primitive } from '../backend/backend.js';
import { ShapeError } from '../core/errors.js';
import { show } from '../core/shape.js';
import { kernel } from '../gpu/kernel.js';
import type { Rows } from '../reference/row_dot.js';
import { runTo } from '../tensor/run.js';
import { checkDType, checkSameShape, empty, type Tensor } from '../tensor/tensor.js';
import { type Places, placesIn } from './places.js';

const shader = kernel('pick', source);

const primitive: Primitive<Rows> = {
  name: 'pick',
  gpu: (p) => ({ kernel: shader, params: { ...p }, groups: Math.ceil(p.rows / 64) }),
};

/**
 * One value of each row, y[n] = x[n, column[n]]: the score of each label, say. No gradient.
 *
 * @param x f32 [N, C], C above 0
 * @param column u32 [N], each below C. Numbers are checked; an entry of a tensor that is C or more gives NaN.
 * @returns f32 [N]
 */
export function pick(x: Tensor, column: Places): Tensor {
  checkDType('pick', x, 'f32');
  const [rows, C] = x.shape;
  if (x.rank !== 2 || C === 0)
    throw new ShapeError(`pick: x must be [N, C] with a column at least; got ${show(x.shape)}. Reshape it.`);
  const places = placesIn('pick', 'the columns', column, C);
  checkSameShape('pick', 'the columns', places, [rows]);
  return runTo(empty([rows], 'f32', x.backend), primitive, [x, places], { rows, C });
}
