import argmaxSource from '../../kernels/argmax.wgsl';
import maxGradSource from '../../kernels/reduce_max_grad.wgsl';
import type { Primitive } from '../backend/backend.js';
import { check, flag, whole } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { axesOf, axisOf, numel, show } from '../core/shape.js';
import { kernel } from '../gpu/kernel.js';
import { widthOf, widths } from '../gpu/widths.js';
import type { Run } from '../reference/reduce.js';
import { rounded } from '../tensor/accumulate.js';
import { record } from '../tensor/autograd.js';
import { runTo } from '../tensor/run.js';
import { empty, floatType, type Tensor } from '../tensor/tensor.js';
import { mul, sub } from './binary.js';
import { reduced, runOf, stretches, threads } from './reduce_launch.js';
import { reshape } from './reshape.js';
import { expand } from './strided.js';

const argmaxKernels = widths('argmax', argmaxSource);
const maxGradShader = kernel('reduce_max_grad', maxGradSource);

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

/** Reduces the neighbouring axes first..last to size 1. */
type Reduce = (x: Tensor, first: number, last: number, scale: number) => Tensor;

const sumRun: Reduce = (x, first, last, scale) => {
  const dtype = floatType('sum', x);
  return record('sum', reduced('sum', x, first, last, scale), [x], (dy) => [
    expand(rounded(scale === 1 ? dy : mul(dy, scale), dtype), x.shape),
  ]);
};

const maxRun: Reduce = (x, first, last) => {
  const { A, R, B } = runOf(x.shape, first, last);
  if (R === 0)
    throw new ShapeError(`max: the reduced axes must hold a value; got ${show(x.shape)}. Drop the empty axis.`);
  return record('max', reduced('max', x, first, last), [x], (dy, [dx]) => {
    const place = runTo(empty([A, B], 'u32', x.backend), argmaxPrimitive, [x], { A, R, B });
    return [runTo(dx(), maxGradient, [place, dy], { A, R, B })];
  });
};

/** Reduces any axes of a float tensor. */
function reduceAxes(by: Reduce, x: Tensor, axes: readonly number[], keepDims: boolean, scale: number): Tensor {
  const y = stretches(axes).reduce((y, [first, last]) => by(y, first, last, first === axes[0] ? scale : 1), x);
  return keepDims
    ? y
    : reshape(
        y,
        x.shape.filter((_, i) => !axes.includes(i)),
      );
}

type Axes = number | readonly number[];

/** The axes to reduce, of a float tensor. */
function axesIn(where: string, x: Tensor, axes: Axes | undefined, keepDims: boolean): number[] {
  floatType(where, x);
  check(where, 'keepDims', keepDims, flag);
  return axesOf(where, axes, x.rank);
}

/**
 * Values that are reduced to one. @throws ShapeError where they are not more than `least`, so that a quotient would be
 * 0 / 0.
 */
function countIn(where: string, x: Tensor, axes: readonly number[], least = 0): number {
  const n = numel(axes.map((a) => x.shape[a]));
  if (n <= least && x.size > 0)
    throw new ShapeError(
      `${where}: the axes must hold more than ${least} values; got ${n} in ${show(x.shape)}. Reduce others.`,
    );
  return n;
}

/** Sum over `axes` (all without), f32 whatever x is, which are dropped unless `keepDims`. */
export const sum = (x: Tensor, axes?: Axes, keepDims = false): Tensor =>
  reduceAxes(sumRun, x, axesIn('sum', x, axes, keepDims), keepDims, 1);

/** Mean over `axes` (all without). */
export function mean(x: Tensor, axes?: Axes, keepDims = false): Tensor {
  const list = axesIn('mean', x, axes, keepDims);
  return reduceAxes(sumRun, x, list, keepDims, 1 / countIn('mean', x, list));
}

/** Largest value over `axes` (all without), NaN where one is; its gradient goes to the first place that holds it. */
export const max = (x: Tensor, axes?: Axes, keepDims = false): Tensor =>
  reduceAxes(maxRun, x, axesIn('max', x, axes, keepDims), keepDims, 1);

/** Variance over `axes` (all without), divided by n - correction: 0 for the population's, 1 for the sample's. */
export function variance(x: Tensor, axes?: Axes, keepDims = false, correction = 0): Tensor {
  const list = axesIn('variance', x, axes, keepDims);
  check('variance', 'the correction', correction, whole(0));
  const n = countIn('variance', x, list, correction);
  const centred = sub(x, mean(x, list, true));
  return reduceAxes(sumRun, mul(centred, centred), list, keepDims, 1 / (n - correction));
}

/** Place of the largest value along `axis`, u32, the first of equals, or of the first NaN; no gradient. */
export function argmax(x: Tensor, axis: number): Tensor {
  floatType('argmax', x);
  const a = axisOf('argmax', axis, x.rank);
  if (x.shape[a] === 0)
    throw new ShapeError(`argmax: the axis must hold a value; got ${show(x.shape)}. Drop the empty axis.`);
  return runTo(
    empty(
      x.shape.filter((_, i) => i !== a),
      'u32',
      x.backend,
    ),
    argmaxPrimitive,
    [x],
    runOf(x.shape, a, a),
  );
}
