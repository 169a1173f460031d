import type { TypedArray } from '../core/dtype.js';

/** What `binary` computes of two values. */
export type BinaryOp = 'add' | 'sub' | 'mul' | 'div' | 'greater' | 'maximum';

/** The operation, and how its operands are broadcast. */
export interface BinaryParams {
  op: BinaryOp;
  /** Shape of y; strides of a and b over it, 0 where they are stretched. */
  shape: readonly number[];
  aStrides: readonly number[];
  bStrides: readonly number[];
}

const apply: Record<BinaryOp, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  greater: (a, b) => (a > b ? 1 : 0),
  maximum: Math.max,
};

/** y = f(a, b) with broadcasting. */
export function binary([a, b, y]: TypedArray[], { op, shape, aStrides, bStrides }: BinaryParams): void {
  const at = new Array<number>(shape.length).fill(0);
  for (let i = 0; i < y.length; i++) {
    let ia = 0;
    let ib = 0;
    for (let d = 0; d < shape.length; d++) {
      ia += at[d] * aStrides[d];
      ib += at[d] * bStrides[d];
    }
    y[i] = apply[op](a[ia], b[ib]);
    for (let d = shape.length - 1; d >= 0 && ++at[d] === shape[d]; d--) at[d] = 0;
  }
}

/** The operation of a tensor and a number, which is the first operand or the second. */
export interface BinaryNumberParams {
  op: BinaryOp;
  c: number;
  first: boolean;
}

/** y = f(x, c), or f(c, x); c is as exact as y's values are. */
export function binaryNumber([x, y]: TypedArray[], { op, c, first }: BinaryNumberParams): void {
  const number = y instanceof Float64Array ? c : Math.fround(c);
  for (let i = 0; i < y.length; i++) y[i] = first ? apply[op](number, x[i]) : apply[op](x[i], number);
}
