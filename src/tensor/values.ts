import type { Backend } from '../backend/backend.js';
import { shown } from '../core/check.js';
import { arrayTypes, checkValues, type DType, type TypedArray } from '../core/dtype.js';
import type { Nested } from '../core/dtype-of.js';
import { DTypeError, ShapeError } from '../core/errors.js';
import { MAX_RANK, numel, type Shape, sameShape, show } from '../core/shape.js';

/** The sizes of nested lists of numbers. @throws ShapeError where they are ragged. */
export function sizesOf(values: Nested, depth = 0): number[] {
  if (!Array.isArray(values)) return [];
  if (depth === MAX_RANK)
    throw new ShapeError(`tensor: lists must be nested at most ${MAX_RANK} deep; got more. Flatten some.`);
  const inner = values.some(Array.isArray) ? values.map((v: Nested) => sizesOf(v, depth + 1)) : [[]];
  const odd = inner.find((sizes) => !sameShape(sizes, inner[0]));
  if (odd)
    throw new ShapeError(
      `tensor: nested lists must all have the same sizes; got ${show(inner[0])} beside ${show(odd)}. Fill or cut them.`,
    );
  return [values.length, ...inner[0]];
}

/** Values in row-major order as lists, one in the other; of no axes, a number. */
export function nest(values: TypedArray, shape: Shape, at = 0): Nested {
  if (shape.length === 0) return values[at];
  const [n, ...rest] = shape;
  return Array.from({ length: n }, (_, i) => nest(values, rest, at + i * numel(rest)));
}

/** Values as a backend stores them. @throws DTypeError for a value that the element type cannot hold. */
export function asArray(where: string, values: TypedArray | readonly number[], dtype: DType, on: Backend): TypedArray {
  const floats = dtype === 'f32' || dtype === 'f16';
  if (!(values instanceof arrayTypes[dtype]) && (Array.isArray(values) || !floats)) checkValues(where, values, dtype);
  if (on.kind === 'reference' && dtype === 'f32')
    return values instanceof Float64Array ? values : new Float64Array(values);
  return values instanceof arrayTypes[dtype] ? values : new arrayTypes[dtype](values);
}

const lists = [Array, Float32Array, Float64Array, Int32Array, Uint32Array, Uint8Array];

/**
 * Numbers one after the other; clamped bytes, as a canvas has them, are bytes. @throws DTypeError for other than lists
 * of numbers.
 */
export function listed(where: string, values: TypedArray | readonly number[]): TypedArray | readonly number[] {
  const clamped: unknown = values;
  if (clamped instanceof Uint8ClampedArray) return new Uint8Array(clamped.buffer, clamped.byteOffset, clamped.length);
  if (lists.some((of) => values instanceof of)) return values;
  throw new DTypeError(
    `${where}: values must be numbers, in lists or in one of ${lists
      .slice(1)
      .map((l) => l.name)
      .join(', ')}; got ${shown(values)}. Convert them.`,
  );
}
