import source from '../../kernels/strided.wgsl';
import transposeSource from '../../kernels/strided_transpose.wgsl';
import type { Launch, Primitive } from '../backend/backend.js';
import { boxLaunch, type StridedBox, stridedBox } from '../backend/strided.js';
import { anything, check, listOf, maybe, shown } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { axisOf, broadcastStrides, checkShape, type Shape, sameShape, show, stridesOf } from '../core/shape.js';
import type { Traits } from '../gpu/device.js';
import { kernel } from '../gpu/kernel.js';
import { widths } from '../gpu/widths.js';
import type { StridedParams } from '../reference/strided.js';
import { record } from '../tensor/autograd.js';
import { zeros } from '../tensor/fill.js';
import { run, runTo } from '../tensor/run.js';
import { checkDType, empty, type Tensor } from '../tensor/tensor.js';
import { sumTo } from './reduce_launch.js';

const kernels = widths('strided', source);
const tiles = kernel('strided_transpose', transposeSource);

/** One strided copy; other operations turn their operands with it. */
export function stridedLaunch(p: StridedParams, traits: Traits): Launch {
  const box = stridedBox(p.shape, [
    { strides: p.xStrides, start: p.xStart },
    { strides: p.yStrides, start: p.yStart },
  ]);
  return transposeLaunch(box) ?? boxLaunch(kernels, box, { X_ONE: Number(box.operands[0].one) }, traits);
}

/** A matrix, or several, whose rows become columns, if sizes and places divide by 4. */
function transposeLaunch({ width, shape, operands: [x, y] }: StridedBox): Launch | undefined {
  const [C, R, batch = 1] = [shape.at(-2)!, shape.at(-1)!, ...shape.slice(0, -2)];
  const [xRow, xBatch = 0] = [x.strides.at(-1)!, ...x.strides.slice(0, -2)];
  const byVec4 = [R, C, xRow, xBatch, x.start, y.start].every((v) => v % 4 === 0);
  if (
    width === 4 ||
    ![2, 3].includes(shape.length) ||
    x.strides.at(-2) !== 1 ||
    !sameShape(y.strides, stridesOf(shape)) ||
    !byVec4
  )
    return undefined;
  const params = {
    batch,
    R: R / 4,
    C: C / 4,
    xStart: x.start / 4,
    yStart: y.start / 4,
    xBatch: xBatch / 4,
    xRow: xRow / 4,
  };
  return { kernel: tiles, params, groups: batch * Math.ceil(R / 32) * Math.ceil(C / 32) };
}

const primitive: Primitive<StridedParams> = { name: 'strided', gpu: stridedLaunch };

const words = (where: string, x: Tensor) => checkDType(where, x, 'f32', 'f16', 'i32', 'u32');

/** Reads a strided box of `x` into a new tensor of `shape`. */
function gatherBox(x: Tensor, shape: Shape, xStrides: number[], xStart = 0): Tensor {
  const p = { shape, xStart, xStrides, yStart: 0, yStrides: stridesOf(shape) };
  return runTo(empty(shape, x.dtype, x.backend), primitive, [x], p);
}

/** Writes `x` into the box of `y` that has its shape. */
function scatterBox(x: Tensor, y: Tensor, yStart: number, yStrides: readonly number[] = stridesOf(y.shape)): void {
  run(primitive, [x], [y], { shape: x.shape, xStart: 0, xStrides: stridesOf(x.shape), yStart, yStrides });
}

/** x[start + i·strides] for every i in `shape`, no place of x twice. Strides may be negative. */
export function box(name: string, x: Tensor, shape: Shape, strides: number[], start: number): Tensor {
  words(name, x);
  // dx is dy in its place and 0 elsewhere
  return record(name, gatherBox(x, shape, strides, start), [x], (dy) => {
    const dx = zeros(x.shape, x.dtype);
    scatterBox(dy, dx, start, strides);
    return [dx];
  });
}

/** x repeated along axes of size 1 (and new leading ones) to `shape`. */
export function expand(x: Tensor, shape: Shape): Tensor {
  words('expand', x);
  checkShape('expand', shape);
  const lead = shape.length - x.rank;
  if (lead < 0 || !x.shape.every((d, i) => d === shape[lead + i] || d === 1))
    throw new ShapeError(
      `expand: axes to stretch must have size 1; got ${show(x.shape)} to ${show(shape)}. Reshape it first.`,
    );
  if (sameShape(x.shape, shape)) return x;
  // dx = dy summed over the stretched axes
  return record('expand', gatherBox(x, shape, broadcastStrides(x.shape, shape)), [x], (dy) => [sumTo(dy, x.shape)]);
}

/** Axes in another order; without `order`, reversed. y's axis i is x's axis order[i]. */
export function transpose(x: Tensor, order?: readonly number[]): Tensor {
  words('transpose', x);
  check('transpose', 'the order', order, maybe(listOf(anything)), 'Write it as [1, 0].');
  const axes = order?.map((a) => axisOf('transpose', a, x.rank)) ?? x.shape.map((_, i) => x.rank - 1 - i);
  if (new Set(axes).size !== x.rank || axes.length !== x.rank)
    throw new ShapeError(
      `transpose: every axis must be named once; got ${show(axes)} for ${show(x.shape)}. List all ${x.rank}.`,
    );
  const strides = stridesOf(x.shape);
  const y = gatherBox(
    x,
    axes.map((a) => x.shape[a]),
    axes.map((a) => strides[a]),
  );
  return record('transpose', y, [x], (dy) => [
    transpose(
      dy,
      axes.map((_, i) => axes.indexOf(i)),
    ),
  ]);
}

/** x[..., from:to, ...] along `axis`. */
export function slice(x: Tensor, axis: number, from: number, to: number): Tensor {
  words('slice', x);
  const a = axisOf('slice', axis, x.rank);
  if (!(Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from <= to && to <= x.shape[a]))
    throw new ShapeError(
      `slice: from and to must keep 0 <= from <= to <= ${x.shape[a]} along axis ${a}; ` +
        `got ${shown(from)} and ${shown(to)}. Correct the range.`,
    );
  const strides = stridesOf(x.shape);
  return box(
    'slice',
    x,
    x.shape.map((d, i) => (i === a ? to - from : d)),
    strides,
    from * strides[a],
  );
}

/** Tensors side by side along `axis`; all other sizes must agree. */
export function concat(parts: readonly Tensor[], axis = 0): Tensor {
  if (!Array.isArray(parts as unknown) || parts.length === 0)
    throw new ShapeError(`concat: the parts must be a list of tensors; got ${shown(parts)}. Pass some.`);
  for (const x of parts) words('concat', x);
  const a = axisOf('concat', axis, parts[0].rank);
  for (const x of parts) {
    if (
      x.dtype !== parts[0].dtype ||
      !sameShape(
        x.shape.map((d, i) => (i === a ? 0 : d)),
        parts[0].shape.map((d, i) => (i === a ? 0 : d)),
      )
    )
      throw new ShapeError(
        `concat: tensors must agree in type and in every axis but ${a}; ` +
          `got ${parts[0].dtype} ${show(parts[0].shape)} and ${x.dtype} ${show(x.shape)}. Reshape one.`,
      );
  }
  const starts = parts.map((_, i) => parts.slice(0, i).reduce((n, x) => n + x.shape[a], 0));
  const total = starts[parts.length - 1] + parts[parts.length - 1].shape[a];
  const y = empty(
    parts[0].shape.map((d, i) => (i === a ? total : d)),
    parts[0].dtype,
    parts[0].backend,
  );
  const stride = stridesOf(y.shape)[a];
  parts.forEach((x, i) => scatterBox(x, y, starts[i] * stride));
  return record('concat', y, parts, (dy, places) =>
    parts.map((x, i) => places[i] && slice(dy, a, starts[i], starts[i] + x.shape[a])),
  );
}
