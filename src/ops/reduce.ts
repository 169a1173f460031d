import argmaxSource from '../../kernels/argmax.wgsl';
import source from '../../kernels/reduce.wgsl';
import maxGradSource from '../../kernels/reduce_max_grad.wgsl';
import rowsSource from '../../kernels/reduce_rows.wgsl';
import { rounded } from '../tensor/accumulate.js';
import { record } from '../tensor/autograd.js';
import type { Launch, Plan, Primitive } from '../backend/backend.js';
import { check, flag, whole } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { axesOf, axisOf, numel, type Shape, show } from '../core/shape.js';
import { kernel } from '../gpu/kernel.js';
import { widthOf, widths } from '../gpu/widths.js';
import type { Run } from '../reference/reduce.js';
import { empty, floatType, runTo, type Tensor, view } from '../tensor/tensor.js';
import { mul, sub } from './binary.js';
import { reshape } from './reshape.js';
import { expand } from './strided.js';

const kernels = widths('reduce', source);
const rowsShader = kernel('reduce_rows', rowsSource);
const argmaxKernels = widths('argmax', argmaxSource);
const maxGradShader = kernel('reduce_max_grad', maxGradSource);

const codeOf = { sum: 0, max: 1 };
/** Threads that keep a software adapter busy. */
const SLOTS = 512;

const threads = (n: number) => Math.ceil(n / 64);

type Reduction = Run & { op: 'sum' | 'max'; scale: number };

/** Slots of the middle axis, `lanes` of them to a chunk of its rows. */
interface Slots {
  S: number;
  lanes: number;
  chunk: number;
}

function slotsLaunch({ op, A, R, B, scale }: Reduction, slots: Slots): Launch {
  const width = widthOf(B);
  return { kernel: kernels[width], constants: { OP: codeOf[op] }, params: { A, R, B: B / width, ...slots, scale }, groups: threads((A * slots.S * B) / width) };
}

/** One dispatch that reduces the middle axis whole; other operations add their partial sums with it. */
export const reduceLaunch = (p: Reduction): Launch => slotsLaunch(p, { S: 1, lanes: 1, chunk: p.R });

/** Lanes where columns are few, with 32 rows each at least; chunks where a lane would have more than 128. */
function slotsOf({ R, B }: Run): Slots {
  const columns = B / widthOf(B);
  const lanes = columns > 16 || R < 64 ? 1 : 2 ** Math.floor(Math.log2(Math.min(64 / columns, R / 32)));
  const chunks = R <= 128 * lanes ? 1 : Math.ceil(R / lanes / Math.max(64, Math.ceil(Math.sqrt(R / lanes))));
  return { S: chunks * lanes, lanes, chunk: Math.ceil(R / chunks / lanes) * lanes };
}

/** The dispatches that reduce the middle axis of place `x` into `y`, by way of places from `scratch` on where it is long. */
export function reduceLaunches(p: Reduction, [x, y, scratch]: readonly number[]): Plan {
  const fours = inRows(p); // columns of a [R / 4, 4] matrix first
  const first = fours ? { ...p, R: p.R / 4, B: 4 } : p;
  const slots = slotsOf(first);
  if (p.B === 0 || (!fours && slots.S === 1)) return { scratch: [], launches: [{ ...reduceLaunch(p), bind: [x, y] }] };
  const rest = reduceLaunches({ ...p, R: (slots.S * first.B) / p.B }, [scratch, y, scratch + 1]);
  return { scratch: [p.A * slots.S * first.B, ...rest.scratch], launches: [{ ...slotsLaunch({ ...first, scale: 1 }, slots), bind: [x, scratch] }, ...rest.launches] };
}

/** Whether the reduced values are neighbours and come in fours. */
const inRows = ({ B, R }: Run): boolean => B === 1 && R % 4 === 0 && R > 32;

/** The same on software: a thread has many fours in a row, and a slot for them. */
function rowsLaunches(p: Reduction): Plan {
  const R = p.R / 4;
  const chunk = Math.ceil(R / Math.max(1, Math.min(Math.ceil(SLOTS / p.A), R / 32)));
  const S = Math.ceil(R / chunk);
  const launch = (scale: number): Launch => ({ kernel: rowsShader, constants: { OP: codeOf[p.op] }, params: { A: p.A, R, S, chunk, scale }, groups: threads(p.A * S) });
  if (S === 1) return { scratch: [], launches: [launch(p.scale)] };
  const rest = reduceLaunches({ ...p, R: S }, [2, 1, 3]);
  return { scratch: [p.A * S, ...rest.scratch], launches: [{ ...launch(1), bind: [0, 2] }, ...rest.launches] };
}

const primitive: Primitive<Reduction> = { name: 'reduce', gpu: (p, { software }) => (software && inRows(p) ? rowsLaunches(p) : reduceLaunches(p, [0, 1, 2])) };

const maxGradient: Primitive<Run> = {
  name: 'reduce_max_grad',
  gpu: (p) => ({ kernel: maxGradShader, params: { ...p }, groups: threads(p.A * p.R * p.B) }),
};

const argmaxPrimitive: Primitive<Run> = {
  name: 'argmax',
  gpu: ({ A, R, B }) => {
    const width = widthOf(B);
    return { kernel: argmaxKernels[width], params: { A, R, B: B / width }, groups: threads((A * B) / width) };
  },
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
  const shape = x.shape.map((d, i) => (i < first || i > last ? d : 1));
  const y = runTo(empty(shape, 'f32', x.backend), primitive, [x], { op, A, R, B, scale });
  const dtype = floatType(op, x);
  if (op === 'sum') return record('sum', y, [x], (dy) => [expand(rounded(scale === 1 ? dy : mul(dy, scale), dtype), x.shape)]);
  return record('max', y, [x], (dy, [dx]) => {
    const place = runTo(empty([A, B], 'u32', x.backend), argmaxPrimitive, [x], { A, R, B });
    return [runTo(dx(), maxGradient, [place, dy], { A, R, B })];
  });
}

/** Reduces any axes, one stretch of neighbours after another. */
function reduceAxes(op: 'sum' | 'max', x: Tensor, axes: number[], keepDims: boolean, scale: number): Tensor {
  floatType(op, x);
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

/** The axes to reduce, of a float tensor. */
function axesIn(where: string, x: Tensor, axes: Axes | undefined, keepDims: boolean): number[] {
  floatType(where, x);
  check(where, 'keepDims', keepDims, flag);
  return axesOf(where, axes, x.rank);
}

/** Values that are reduced to one. @throws ShapeError where they are not more than `least`, so that a quotient would be 0 / 0. */
function countIn(where: string, x: Tensor, axes: readonly number[], least = 0): number {
  const n = numel(axes.map((a) => x.shape[a]));
  if (n <= least && x.size > 0) throw new ShapeError(`${where}: the axes must hold more than ${least} values; got ${n} in ${show(x.shape)}. Reduce others.`);
  return n;
}

/** Sum over `axes` (all without), f32 whatever x is, which are dropped unless `keepDims`. */
export const sum = (x: Tensor, axes?: Axes, keepDims = false): Tensor => reduceAxes('sum', x, axesIn('sum', x, axes, keepDims), keepDims, 1);

/** Mean over `axes` (all without). */
export function mean(x: Tensor, axes?: Axes, keepDims = false): Tensor {
  const list = axesIn('mean', x, axes, keepDims);
  return reduceAxes('sum', x, list, keepDims, 1 / countIn('mean', x, list));
}

/** Largest value over `axes` (all without), NaN where one is; its gradient goes to the first place that holds it. */
export const max = (x: Tensor, axes?: Axes, keepDims = false): Tensor => reduceAxes('max', x, axesIn('max', x, axes, keepDims), keepDims, 1);

/** Variance over `axes` (all without), divided by n - correction: 0 for the population's, 1 for the sample's. */
export function variance(x: Tensor, axes?: Axes, keepDims = false, correction = 0): Tensor {
  const list = axesIn('variance', x, axes, keepDims);
  check('variance', 'the correction', correction, whole(0));
  const n = countIn('variance', x, list, correction);
  const centred = sub(x, mean(x, list, true));
  return reduceAxes('sum', mul(centred, centred), list, keepDims, 1 / (n - correction));
}

/** Place of the largest value along `axis`, u32, the first of equals, or of the first NaN; no gradient. */
export function argmax(x: Tensor, axis: number): Tensor {
  floatType('argmax', x);
  const a = axisOf('argmax', axis, x.rank);
  if (x.shape[a] === 0) throw new ShapeError(`argmax: the axis must hold a value; got ${show(x.shape)}. Drop the empty axis.`);
  return runTo(empty(x.shape.filter((_, i) => i !== a), 'u32', x.backend), argmaxPrimitive, [x], runOf(x.shape, a, a));
}

/** Sums a broadcast tensor back to `shape`. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  const lead = x.rank - shape.length;
  const axes = x.shape.flatMap((d, i) => (i < lead || (shape[i - lead] === 1 && d !== 1) ? [i] : []));
  return view(sum(x, axes, true), shape);
}
