import source from '../../kernels/gather.wgsl';
import gradSource from '../../kernels/gather_grad.wgsl';
import { record } from '../autograd.js';
import type { Primitive } from '../backend/backend.js';
import { ShapeError } from '../core/errors.js';
import { numel, show } from '../core/shape.js';
import { kernel } from '../gpu/kernel.js';
import type { GatherParams } from '../reference/gather.js';
import { checkDType, empty, runTo, type Tensor } from '../tensor.js';

const [words, fours] = [kernel('gather', source), kernel('gather_vec4', source.replace('alias U = u32', 'alias U = vec4u'))];
const gradShader = kernel('gather_grad', gradSource);

const primitive: Primitive<GatherParams> = {
  name: 'gather',
  gpu: (p) => {
    const lanes = p.width % 4 === 0 ? 4 : 1;
    const width = p.width / lanes;
    return { kernel: lanes === 4 ? fours : words, params: { ...p, width }, groups: Math.ceil((p.M * width) / 64) };
  },
};

const gradient: Primitive<GatherParams> = {
  name: 'gather_grad',
  gpu: (p) => ({ kernel: gradShader, params: { ...p }, groups: Math.ceil((p.rows * p.width) / 64) }),
};

/**
 * Rows of x in the order of `index`: y[m] = x[index[m]]. Of a permutation, it is the batch shuffle of MoCo.
 *
 * @param x [rows, ...], f32, f16, i32 or u32
 * @param index u32 [M]. It lives on the device and is not checked: an entry of `rows` or more counts as the last row.
 * @returns [M, ...]
 */
export function gather(x: Tensor, index: Tensor<'u32'>): Tensor {
  checkDType('gather', x, 'f32', 'f16', 'i32', 'u32');
  checkDType('gather', index, 'u32');
  if (x.rank < 1 || index.rank !== 1) throw new ShapeError(`gather: x has rows and the index is a list; got ${show(x.shape)} and ${show(index.shape)}. Reshape them.`);
  const [rows, M] = [x.shape[0], index.size];
  if (rows === 0 && M > 0) throw new ShapeError(`gather: x must have rows to take; got ${show(x.shape)} for ${M} indices. Pass an empty index.`);
  const p = { rows, M, width: numel(x.shape.slice(1)) };
  const y = runTo(empty([M, ...x.shape.slice(1)], x.dtype, x.backend), primitive, [x, index], p);
  // dx[r] = Σ dy[m] over index[m] = r
  return record('gather', y, [x], (dy, [dx]) => [runTo(dx(), gradient, [dy, index], p)]);
}
