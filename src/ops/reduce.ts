import argmaxSource from '../../kernels/argmax.wgsl';
import source from '../../kernels/reduce.wgsl';
import maxGradSource from '../../kernels/reduce_max_grad.wgsl';
import { record } from '../autograd.js';
import type { Launch, Plan, Primitive } from '../backend/backend.js';
import { ShapeError } from '../core/errors.js';
import { axesOf, axisOf, numel, type Shape, show } from '../core/shape.js';
import { kernel } from '../gpu/kernel.js';
import { argmax as argmaxMirror, reduce as mirror, reduceMaxGrad as maxGradMirror, type Run } from '../reference/reduce.js';
import { checkDType, empty, run, type Tensor, view } from '../tensor.js';
import { mul, sub } from './binary.js';
import { reshape } from './reshape.js';
import { expand } from './strided.js';

const shader = kernel('reduce', source);
const maxGradShader = kernel('reduce_max_grad', maxGradSource);
const argmaxShader = kernel('argmax', argmaxSource);

/** Elements one thread reduces before the work is split. */
const CHUNK = 64;
const threads = (n: number) => Math.ceil(n / 64);

type Reduction = Run & { op: 'sum' | 'max'; scale: number };

/** One dispatch that reduces the middle axis whole; other operations add their partial sums with it. */
export const reduceLaunch = ({ op, A, R, B, scale }: Reduction): Launch => ({
  kernel: shader,
  constants: { OP: op === 'sum' ? 0 : 1 },
  params: { A, R, B, S: 1, chunk: R, scale },
  groups: threads(A * B),
});

/** The dispatches that reduce the middle axis of place `x` into `y`, in two passes by way of `scratch` where it is long. */
export function reduceLaunches(p: Reduction, [x, y, scratch]: readonly number[]): Plan {
  const { A, R, B } = p;
  if (R <= 2 * CHUNK) return { scratch: [], launches: [{ ...reduceLaunch(p), bind: [x, y] }] };
  const chunk = Math.max(CHUNK, Math.ceil(Math.sqrt(R)));
  const S = Math.ceil(R / chunk);
  const whole = reduceLaunch({ ...p, scale: 1 });
  const first = { ...whole, params: { ...whole.params, S, chunk }, groups: threads(A * S * B), bind: [x, scratch] };
  return { scratch: [A * S * B], launches: [first, { ...reduceLaunch({ ...p, R: S }), bind: [scratch, y] }] };
}

const primitive: Primitive<Reduction> = { name: 'reduce', mirror, gpu: (p) => reduceLaunches(p, [0, 1, 2]) };

const maxGradient: Primitive<Run> = {
  name: 'reduce_max_grad',
  mirror: maxGradMirror,
  gpu: (p) => ({ kernel: maxGradShader, params: { ...p }, groups: threads(p.A * p.R * p.B) }),
};

const argmaxPrimitive: Primitive<Run> = {
  name: 'argmax',
  mirror: argmaxMirror,
  gpu: (p) => ({ kernel: argmaxShader, params: { ...p }, groups: threads(p.A * p.B) }),
};

const runOf = (shape: Shape, first: number, last: number): Run => ({
  A: numel(shape.slice(0, first)),
  R: numel(shape.slice(first, last + 1)),
  B: numel(shape.slice(last + 1)),
});

/** Reduces the neighbouring axes first..last to size 1. */
function reduceRun(op: 'sum' | 'max', x: Tensor, first: number, last: number, scale: number): Tensor {
  const { A, R, B } = runOf(x.shape, first, last);
  if (op === 'max' && R === 0) throw new ShapeError(`max: the reduced axes must hold a value; got ${show(x.shape)}. Drop the empty axis.`);
  const y = empty(x.shape.map((d, i) => (i < first || i > last ? d : 1)), 'f32', x.backend);
  run(primitive, [x], [y], { op, A, R, B, scale });
  if (op === 'sum') return record('sum', y, [x], (dy) => [() => expand(scale === 1 ? dy : mul(dy, scale), x.shape)]);
  return record('max', y, [x], (dy) => [
    () => {
      const place = empty([A, B], 'u32', x.backend);
      run(argmaxPrimitive, [x], [place], { A, R, B });
      const dx = empty(x.shape, 'f32', x.backend);
      run(maxGradient, [place, dy], [dx], { A, R, B });
      return dx;
    },
  ]);
}

/** Reduces any axes, one stretch of neighbours after another. */
function reduceAxes(op: 'sum' | 'max', x: Tensor, axes: number[], keepDims: boolean, scale: number): Tensor {
  checkDType(op, x, 'f32');
  let y = x;
  for (let last = axes.length - 1; last >= 0; ) {
    let first = last;
    while (first > 0 && axes[first - 1] === axes[first] - 1) first--;
    y = reduceRun(op, y, axes[first], axes[last], first === 0 ? scale : 1);
    last = first - 1;
  }
  return keepDims ? y : reshape(y, x.shape.filter((_, i) => !axes.includes(i)));
}

type Axes = number | readonly number[];

/** Sum over `axes` (all without), which are dropped unless `keepDims`. */
export const sum = (x: Tensor, axes?: Axes, keepDims = false): Tensor => reduceAxes('sum', x, axesOf('sum', axes, x.rank), keepDims, 1);

/** Mean over `axes` (all without). */
export function mean(x: Tensor, axes?: Axes, keepDims = false): Tensor {
  const list = axesOf('mean', axes, x.rank);
  return reduceAxes('sum', x, list, keepDims, 1 / numel(list.map((a) => x.shape[a])));
}

/** Largest value over `axes` (all without); its gradient goes to the first place that holds it. */
export const max = (x: Tensor, axes?: Axes, keepDims = false): Tensor => reduceAxes('max', x, axesOf('max', axes, x.rank), keepDims, 1);

/** Variance over `axes` (all without), divided by n - correction: 0 for the population's, 1 for the sample's. */
export function variance(x: Tensor, axes?: Axes, keepDims = false, correction = 0): Tensor {
  const list = axesOf('variance', axes, x.rank);
  const n = numel(list.map((a) => x.shape[a]));
  const centred = sub(x, mean(x, list, true));
  return reduceAxes('sum', mul(centred, centred), list, keepDims, 1 / (n - correction));
}

/** Place of the largest value along `axis`, u32, the first of equals; no gradient. */
export function argmax(x: Tensor, axis: number): Tensor {
  checkDType('argmax', x, 'f32');
  const a = axisOf('argmax', axis, x.rank);
  if (x.shape[a] === 0) throw new ShapeError(`argmax: the axis must hold a value; got ${show(x.shape)}. Drop the empty axis.`);
  const y = empty(x.shape.filter((_, i) => i !== a), 'u32', x.backend);
  run(argmaxPrimitive, [x], [y], runOf(x.shape, a, a));
  return y;
}

/** Sums a broadcast tensor back to `shape`. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  const lead = x.rank - shape.length;
  const axes = x.shape.flatMap((d, i) => (i < lead || (shape[i - lead] === 1 && d !== 1) ? [i] : []));
  return view(sum(x, axes, true), shape);
}
