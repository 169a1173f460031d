import source from '../../kernels/binary.wgsl';
import { record } from '../autograd.js';
import type { Primitive } from '../backend/backend.js';
import { broadcastShapes, broadcastStrides, numel, sameShape, stridesOf } from '../core/shape.js';
import { scalar } from '../fill.js';
import { kernel } from '../gpu/kernel.js';
import { type BinaryOp, type BinaryParams, binary as mirror } from '../reference/binary.js';
import { checkDType, empty, run, Tensor } from '../tensor.js';
import { sumTo } from './reduce.js';
import { neg } from './unary.js';

const shader = kernel('binary', source);
const codes: readonly BinaryOp[] = ['add', 'sub', 'mul', 'div', 'greater', 'maximum'];

const primitive: Primitive<BinaryParams> = {
  name: 'binary',
  mirror,
  gpu: ({ op, shape, aStrides, bStrides }) => {
    const length = numel(shape);
    const like = stridesOf(shape);
    const mode = (strides: readonly number[]) => (sameAt(strides, like, shape) ? 0 : strides.every((s) => s === 0) ? 1 : 2);
    return {
      kernel: shader,
      constants: { OP: codes.indexOf(op), A_MODE: mode(aStrides), B_MODE: mode(bStrides) },
      params: { length, rank: shape.length, shape, aStrides, bStrides },
      groups: Math.ceil(length / 64),
    };
  },
};

/** Strides need to agree only along axes that are walked. */
const sameAt = (a: readonly number[], b: readonly number[], shape: readonly number[]): boolean =>
  shape.every((size, i) => size === 1 || a[i] === b[i]);

function apply(op: BinaryOp, a: Tensor, b: Tensor): Tensor {
  checkDType(op, a, 'f32');
  checkDType(op, b, 'f32');
  const shape = broadcastShapes(op, a.shape, b.shape);
  const y = empty(shape, 'f32', a.backend);
  run(primitive, [a, b], [y], { op, shape, aStrides: broadcastStrides(a.shape, shape), bStrides: broadcastStrides(b.shape, shape) });
  return y;
}

type Operand = Tensor | number;

const lift = (x: Operand): Tensor => (x instanceof Tensor ? x : scalar(x));

/** A gradient of the broadcast shape, summed back to the shape of the operand it belongs to. */
const back = (d: Tensor, x: Tensor): Tensor => (sameShape(d.shape, x.shape) ? d : sumTo(d, x.shape));

/** y = a + b, broadcasting. */
export function add(a: Tensor, b: Operand): Tensor {
  const v = lift(b);
  // da = dy, db = dy
  return record('add', apply('add', a, v), [a, v], (dy) => [() => back(dy, a), () => back(dy, v)]);
}

/** y = a - b, broadcasting. */
export function sub(a: Operand, b: Operand): Tensor {
  const [u, v] = [lift(a), lift(b)];
  // da = dy, db = -dy
  return record('sub', apply('sub', u, v), [u, v], (dy) => [() => back(dy, u), () => back(neg(dy), v)]);
}

/** y = a b, broadcasting. */
export function mul(a: Tensor, b: Operand): Tensor {
  const v = lift(b);
  // da = dy b, db = dy a
  return record('mul', apply('mul', a, v), [a, v], (dy) => [() => back(apply('mul', dy, v), a), () => back(apply('mul', dy, a), v)]);
}

/** y = a / b, broadcasting. */
export function div(a: Operand, b: Operand): Tensor {
  const [u, v] = [lift(a), lift(b)];
  const y = apply('div', u, v);
  // da = dy / b, db = -dy y / b
  return record('div', y, [u, v], (dy) => [
    () => back(apply('div', dy, v), u),
    () => back(neg(apply('div', apply('mul', dy, y), v)), v),
  ]);
}

/** y = 1 where a > b, else 0; no gradient. */
export const greater = (a: Operand, b: Operand): Tensor => apply('greater', lift(a), lift(b));

/** y = max(a, b), broadcasting; where they are equal the gradient goes to b. */
export function maximum(a: Tensor, b: Operand): Tensor {
  const v = lift(b);
  return record('maximum', apply('maximum', a, v), [a, v], (dy) => [
    () => back(apply('mul', dy, apply('greater', a, v)), a),
    () => back(apply('sub', dy, apply('mul', dy, apply('greater', a, v))), v),
  ]);
}
