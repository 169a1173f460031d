import source from '../../kernels/binary.wgsl';
import type { Primitive } from '../backend/backend.js';
import { walkLaunch, walkOf } from '../backend/strided.js';
import { broadcastShapes, broadcastStrides } from '../core/shape.js';
import { widths } from '../gpu/widths.js';
import type { BinaryOp, BinaryParams } from '../reference/binary.js';
import { empty, floatType, runTo, type Tensor } from './tensor.js';

const kernels = widths('binary', source);
const codes: readonly BinaryOp[] = ['add', 'sub', 'mul', 'div', 'greater', 'maximum'];

const primitive: Primitive<BinaryParams> = {
  name: 'binary',
  gpu: ({ op, ...p }, traits) => {
    const walk = walkOf(p.shape, [{ strides: p.aStrides }, { strides: p.bStrides }]);
    const [a, b] = walk.operands;
    return walkLaunch(kernels, walk, { OP: codes.indexOf(op), A_ONE: Number(a.one), B_ONE: Number(b.one) }, traits);
  },
};

/** f(a, b) of two float tensors, broadcasting: f16 if one of them is. No gradient is recorded: see ops/binary. */
export function pairwise(op: BinaryOp, a: Tensor, b: Tensor): Tensor {
  const shape = broadcastShapes(op, a.shape, b.shape);
  const dtype = [a, b].map((x) => floatType(op, x)).includes('f16') ? 'f16' : 'f32';
  const p = { op, shape, aStrides: broadcastStrides(a.shape, shape), bStrides: broadcastStrides(b.shape, shape) };
  return runTo(empty(shape, dtype, a.backend), primitive, [a, b], p);
}
