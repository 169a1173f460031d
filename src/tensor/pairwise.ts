import source from '../../kernels/binary.wgsl';
import numberSource from '../../kernels/binary_number.wgsl';
import type { Primitive } from '../backend/backend.js';
import { elementsLaunch } from '../backend/elements.js';
import { boxLaunch, stridedBox } from '../backend/strided.js';
import { broadcastShapes, broadcastStrides } from '../core/shape.js';
import { widths } from '../gpu/widths.js';
import type { BinaryNumberParams, BinaryOp, BinaryParams } from '../reference/binary.js';
import { runTo } from './run.js';
import { empty, floatType, type Tensor } from './tensor.js';

const kernels = widths('binary', source);
const numberKernels = widths('binary_number', numberSource);
const codes: readonly BinaryOp[] = ['add', 'sub', 'mul', 'div', 'greater', 'maximum'];

const primitive: Primitive<BinaryParams> = {
  name: 'binary',
  gpu: ({ op, ...p }, traits) => {
    const box = stridedBox(p.shape, [{ strides: p.aStrides }, { strides: p.bStrides }]);
    const [a, b] = box.operands;
    return boxLaunch(kernels, box, { OP: codes.indexOf(op), A_ONE: Number(a.one), B_ONE: Number(b.one) }, traits);
  },
};

const numberPrimitive: Primitive<BinaryNumberParams & { length: number }> = {
  name: 'binary_number',
  gpu: ({ op, c, first, length }) =>
    elementsLaunch(numberKernels, length, { c }, { OP: codes.indexOf(op), FIRST: Number(first) }),
};

/** A tensor or a number, at least one of two a tensor. */
export type Operand = Tensor | number;

/** f(a, b) of float tensors and numbers, broadcasting: f16 if a tensor is. No gradient is recorded: see ops/binary. */
export function pairwise(op: BinaryOp, a: Operand, b: Operand): Tensor {
  if (typeof a === 'number') return withNumber(op, b as Tensor, a, true);
  if (typeof b === 'number') return withNumber(op, a, b, false);
  const shape = broadcastShapes(op, a.shape, b.shape);
  const dtype = [a, b].map((x) => floatType(op, x)).includes('f16') ? 'f16' : 'f32';
  const p = { op, shape, aStrides: broadcastStrides(a.shape, shape), bStrides: broadcastStrides(b.shape, shape) };
  return runTo(empty(shape, dtype, a.backend), primitive, [a, b], p);
}

/** f(x, c), or f(c, x) where the number comes first. */
function withNumber(op: BinaryOp, x: Tensor, c: number, first: boolean): Tensor {
  const y = empty(x.shape, floatType(op, x), x.backend);
  return runTo(y, numberPrimitive, [x], { op, c, first, length: x.size });
}
