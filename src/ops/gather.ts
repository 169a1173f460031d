import source from '../../kernels/gather.wgsl';
import gradSource from '../../kernels/gather_grad.wgsl';
import type { Primitive } from '../backend/backend.js';
import { ShapeError } from '../core/errors.js';
import { numel, show } from '../core/shape.js';
import { kernel } from '../gpu/kernel.js';
import { widthOf, widths } from '../gpu/widths.js';
import type { GatherParams } from '../reference/gather.js';
import { record } from '../tensor/autograd.js';
import { runTo } from '../tensor/run.js';
import { checkDType, empty, type Tensor } from '../tensor/tensor.js';
import { type Places, placesIn } from './places.js';

const kernels = widths('gather', source);
const gradShader = kernel('gather_grad', gradSource);

const primitive: Primitive<GatherParams> = {
  name: 'gather',
  gpu: (p) => {
    const lanes = widthOf(p.width);
    const width = p.width / lanes;
    return { kernel: kernels[lanes], params: { ...p, width }, groups: Math.ceil((p.M * width) / 64) };
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
 * @param index u32 [M], each below `rows`. Numbers are checked. An entry of a tensor that is `rows` or more gives a row
 * of NaN, or
 *   of set bits where x has integers (a label that fits no class), and passes no gradient on.
 * @returns [M, ...]
 */
export function gather(x: Tensor, index: Places): Tensor {
  checkDType('gather', x, 'f32', 'f16', 'i32', 'u32');
  const places = placesIn('gather', 'the index', index, x.shape[0]);
  if (x.rank < 1 || places.rank !== 1)
    throw new ShapeError(
      `gather: x must have rows and the index be a list; got ${show(x.shape)} and ${show(places.shape)}. Reshape them.`,
    );
  const [rows, M] = [x.shape[0], places.size];
  if (rows === 0 && M > 0)
    throw new ShapeError(
      `gather: x must have rows to take; got ${show(x.shape)} for ${M} indices. Pass an empty index.`,
    );
  const p = { rows, M, width: numel(x.shape.slice(1)) };
  const y = runTo(empty([M, ...x.shape.slice(1)], x.dtype, x.backend), primitive, [x, places], p);
  // dx[r] = Σ dy[m] over index[m] = r
  return record('gather', y, [x], (dy, [dx]) => [runTo(dx(), gradient, [dy, places], p)]);
}
