import source from '../../kernels/unary.wgsl';
import gradSource from '../../kernels/unary_grad.wgsl';
import type { Primitive } from '../backend/backend.js';
import { elementsLaunch } from '../backend/elements.js';
import { shown } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { type Widths, widths } from '../gpu/widths.js';
import type { UnaryOp, UnaryParams } from '../reference/unary.js';
import { record } from '../tensor/autograd.js';
import { runTo } from '../tensor/run.js';
import { empty, floatType, type Tensor } from '../tensor/tensor.js';

const codes: readonly UnaryOp[] = ['neg', 'exp', 'log', 'sqrt', 'relu', 'gelu', 'tanh', 'sigmoid', 'clamp'];
type Sized = UnaryParams & { length: number };

const launchOf =
  (kernels: Widths) =>
  ({ op, length, lo, hi }: Sized) =>
    elementsLaunch(kernels, length, { lo, hi }, { OP: codes.indexOf(op) });

const forward: Primitive<Sized> = { name: 'unary', gpu: launchOf(widths('unary', source)) };
const gradient: Primitive<Sized> = { name: 'unary_grad', gpu: launchOf(widths('unary_grad', gradSource)) };

/** Operations whose slope is cheaper from the result than from the argument. */
const fromResult = new Set<UnaryOp>(['exp', 'sqrt', 'relu', 'tanh', 'sigmoid']);

function apply(op: UnaryOp, x: Tensor, lo = 0, hi = 0): Tensor {
  const dtype = floatType(op, x);
  const params = { op, lo, hi, length: x.size };
  const y = runTo(empty(x.shape, dtype, x.backend), forward, [x], params);
  // dx = dy f'(x)
  return record(op, y, [x], (dy, [dx]) => [
    op === 'neg' ? neg(dy) : runTo(dx(), gradient, [fromResult.has(op) ? y : x, dy], params),
  ]);
}

/** y = -x. */
export const neg = (x: Tensor): Tensor => apply('neg', x);
/** y = e^x. */
export const exp = (x: Tensor): Tensor => apply('exp', x);
/** y = ln x: -∞ of 0, NaN below it. */
export const log = (x: Tensor): Tensor => apply('log', x);
/** y = √x, NaN below 0. */
export const sqrt = (x: Tensor): Tensor => apply('sqrt', x);
/** y = max(x, 0). NaN stays NaN, here and in every operation; adapters may take denormals for 0. */
export const relu = (x: Tensor): Tensor => apply('relu', x);
/** y = x Φ(x), the erf form. */
export const gelu = (x: Tensor): Tensor => apply('gelu', x);
/** y = tanh x. */
export const tanh = (x: Tensor): Tensor => apply('tanh', x);
/** y = 1 / (1 + e^-x). */
export const sigmoid = (x: Tensor): Tensor => apply('sigmoid', x);

/** y = min(max(x, lo), hi). NaN stays NaN; what is outside gets no gradient. */
export function clamp(x: Tensor, lo: number, hi: number): Tensor {
  if (!(typeof lo === 'number' && typeof hi === 'number' && lo <= hi))
    throw new ConfigError(
      `clamp: lo must be a number not above hi; got ${shown(lo)} and ${shown(hi)}. Swap or correct them.`,
    );
  return apply('clamp', x, lo, hi);
}
