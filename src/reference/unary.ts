import type { TypedArray } from '../core/dtype.js';

/** What `unary` computes of each value. */
export type UnaryOp = 'neg' | 'exp' | 'log' | 'sqrt' | 'relu' | 'gelu' | 'tanh' | 'sigmoid' | 'clamp';

/** `lo` and `hi` matter for clamp alone. */
export interface UnaryParams {
  op: UnaryOp;
  lo: number;
  hi: number;
}

/** erf(x) = 2/√π e^(-x²) Σ 2^n x^(2n+1) / (2n+1)!!, a series of one sign. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 400; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return Math.abs(x) > 6 ? Math.sign(x) : (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
const normalCdf = (x: number) => (1 + erf(x / Math.SQRT2)) / 2;

/** y = f(x). */
export function unary([x, y]: TypedArray[], { op, lo, hi }: UnaryParams): void {
  const f: Record<UnaryOp, (v: number) => number> = {
    neg: (v) => -v,
    exp: Math.exp,
    log: Math.log,
    sqrt: Math.sqrt,
    relu: (v) => Math.max(v, 0),
    gelu: (v) => v * normalCdf(v),
    tanh: Math.tanh,
    sigmoid: (v) => 1 / (1 + Math.exp(-v)),
    clamp: (v) => Math.min(Math.max(v, lo), hi),
  };
  for (let i = 0; i < y.length; i++) y[i] = f[op](x[i]);
}

/** dx = dy f'(x); the first buffer is x, or y = f(x) for exp, sqrt, relu, tanh and sigmoid. */
export function unaryGrad([x, dy, dx]: TypedArray[], { op, lo, hi }: UnaryParams): void {
  const slope: Record<UnaryOp, (v: number) => number> = {
    neg: () => -1,
    exp: (y) => y,
    log: (v) => 1 / v,
    sqrt: (y) => 1 / (2 * y),
    relu: (y) => (y === 0 ? 0 : 1),
    gelu: (v) => normalCdf(v) + v * density(v),
    tanh: (y) => 1 - y ** 2,
    sigmoid: (y) => y - y ** 2,
    clamp: (v) => (v >= lo && v <= hi ? 1 : 0),
  };
  const cuts = op === 'relu' || op === 'clamp'; // what they cut off gets no gradient, be it infinite or NaN
  for (let i = 0; i < dx.length; i++) {
    const s = slope[op](x[i]);
    dx[i] = cuts && s === 0 ? 0 : dy[i] * s;
  }
}
