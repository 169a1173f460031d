import source from '../../kernels/pick.wgsl';
import type { Primitive } from '../backend/backend.js';
import { ShapeError } from '../core/errors.js';
import { show } from '../core/shape.js';
import { kernel } from '../gpu/kernel.js';
import type { Rows } from '../reference/row_dot.js';
import { checkDType, checkSameShape, empty, runTo, type Tensor } from '../tensor.js';

const shader = kernel('pick', source);

const primitive: Primitive<Rows> = {
  name: 'pick',
  gpu: (p) => ({ kernel: shader, params: { ...p }, groups: Math.ceil(p.rows / 64) }),
};

/**
 * One value of each row, y[n] = x[n, column[n]]: the score of each label, say. No gradient.
 *
 * @param x f32 [N, C], C above 0
 * @param column u32 [N]. It lives on the device and is not checked: an entry of C or more counts as C - 1.
 * @returns f32 [N]
 */
export function pick(x: Tensor, column: Tensor<'u32'>): Tensor {
  checkDType('pick', x, 'f32');
  checkDType('pick', column, 'u32');
  const [rows, C] = x.shape;
  if (x.rank !== 2 || C === 0) throw new ShapeError(`pick: x is [N, C] with a column at least; got ${show(x.shape)}. Reshape it.`);
  checkSameShape('pick', 'the columns', column, [rows]);
  return runTo(empty([rows], 'f32', x.backend), primitive, [x, column], { rows, C });
}
