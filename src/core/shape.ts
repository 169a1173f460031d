import { shown } from './check.js';
import { ShapeError } from './errors.js';

/** Sizes from the slowest to the fastest axis; `[]` is a scalar. */
export type Shape = readonly number[];

export const MAX_RANK = 6;

/** Number of elements. */
export const numel = (shape: Shape): number => shape.reduce((n, d) => n * d, 1);

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  for (let i = shape.length - 1, s = 1; i >= 0; i--) {
    strides[i] = s;
    s *= shape[i];
  }
  return strides;
}

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);

/** `[2, 3]` as it is printed in messages. */
export const show = (shape: Shape): string => `[${shape.join(', ')}]`;

/** Elements of a tensor at most: kernels count them in 32 bits. */
const MAX_SIZE = 2 ** 32 - 1;

/** Throws unless `shape` is a list of at most six non-negative integers. */
export function checkShape(where: string, shape: Shape): void {
  if (!Array.isArray(shape))
    throw new ShapeError(`${where}: the shape must be a list of sizes; got ${shown(shape)}. Write it as [2, 3].`);
  if (shape.length > MAX_RANK)
    throw new ShapeError(
      `${where}: a tensor must have at most ${MAX_RANK} axes; got ${shown(shape)}. Reshape it first.`,
    );
  let size = 1;
  for (const d of shape as Shape) {
    if (!(Number.isInteger(d) && d >= 0))
      throw new ShapeError(
        `${where}: sizes must be whole numbers, at least 0; got ${shown(shape)}. Correct the shape.`,
      );
    size *= d;
  }
  if (size > MAX_SIZE)
    throw new ShapeError(`${where}: a tensor must have fewer than 2^32 elements; got ${show(shape)}. Divide it.`);
}

/** Axis `axis` of a tensor of `rank` axes, counting negative axes from the end. */
export function axisOf(where: string, axis: number, rank: number): number {
  const a = Number.isInteger(axis) && axis < 0 ? axis + rank : axis;
  if (!(Number.isInteger(axis) && a >= 0 && a < rank))
    throw new ShapeError(
      `${where}: axis must lie in [${-rank}, ${rank - 1}]; got ${shown(axis)}. Name an axis the tensor has.`,
    );
  return a;
}

/** Sorted, distinct axes; `undefined` means all of them. */
export function axesOf(where: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  const list = (Array.isArray(axes) ? Array.from(axes) : [axes]).map((a) => axisOf(where, a, rank));
  if (new Set(list).size !== list.length)
    throw new ShapeError(`${where}: axes must be distinct; got ${show(list)}. Name each axis once.`);
  return [...list].sort((a, b) => a - b);
}

/** The NumPy rule: sizes align at the right and 1 stretches. */
export function broadcastShapes(where: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1)
      throw new ShapeError(
        `${where}: shapes must broadcast (equal sizes, or 1); got ${show(a)} and ${show(b)}. Reshape one of them.`,
      );
    out[i] = x === 1 ? y : x;
  }
  return out;
}

/** Strides that read a tensor of `shape` as if it had shape `to` (0 where it is stretched). */
export function broadcastStrides(shape: Shape, to: Shape): number[] {
  const strides = stridesOf(shape);
  const lead = to.length - shape.length;
  return to.map((_, i) => (i < lead || shape[i - lead] === 1 ? 0 : strides[i - lead]));
}
