import { shown } from './check.js';
import { DTypeError } from './errors.js';
import { decodeHalves } from './half.js';

/**
 * Element types of a tensor. `f16` is storage: kernels read it as f32, compute in f32, and round what they write to the
 * nearest half. `u8` is storage for pictures: it is read by `augment` and `cast`.
 */
export type DType = 'f32' | 'f16' | 'i32' | 'u32' | 'u8';

/** The types that operations with gradients work on. */
export type FloatType = 'f32' | 'f16';

/** Any array a mirror may be handed; the f64 reference backend stores `f32` tensors as Float64Array. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

/** The array that holds elements of each type; halves are floats on the host. */
export const arrayTypes = {
  f32: Float32Array,
  f16: Float32Array,
  i32: Int32Array,
  u32: Uint32Array,
  u8: Uint8Array,
} as const;

/**
 * @throws DTypeError unless `dtype` names an element type, with the name that is meant where it is another library's.
 */
export function checkDTypeName(where: string, dtype: unknown): void {
  if (typeof dtype === 'string' && Object.hasOwn(arrayTypes, dtype)) return;
  const [, kind, bits] =
    /^(?:torch\.)?(float|int|uint)(16|32|8)?$/.exec(String(typeof dtype === 'string' && dtype)) ?? [];
  const meant = kind && `${kind[0]}${bits ?? 32}`;
  const todo = meant && Object.hasOwn(arrayTypes, meant) ? `Use '${meant}'.` : 'Name one of these.';
  throw new DTypeError(
    `${where}: the dtype must be ${Object.keys(arrayTypes).join(', ')}; got ${shown(dtype)}. ${todo}`,
  );
}

/** Least and largest value of the integer types. */
const RANGES: Partial<Record<DType, readonly [number, number]>> = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  u8: [0, 255],
};

/** @throws DTypeError unless every value is a number that `dtype` holds: no fraction, sign or size is lost. */
export function checkValues(where: string, values: ArrayLike<unknown>, dtype: DType): void {
  const [least, most] = RANGES[dtype] ?? [];
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (typeof v === 'number' && (least === undefined || (Number.isInteger(v) && v >= least && v <= most!))) continue;
    const rule = least === undefined ? 'a number' : `a whole number in [${least}, ${most}] to be ${dtype}`;
    throw new DTypeError(
      `${where}: every value must be ${rule}; got ${shown(v)} at place ${i}. Correct it, or choose another dtype.`,
    );
  }
}

/** Bytes of one element on a device. */
export const bytesOf = (dtype: DType): number => (dtype === 'f16' ? 2 : arrayTypes[dtype].BYTES_PER_ELEMENT);

/** A zeroed array of `length` elements of `dtype`. */
export function arrayOf(dtype: DType, length: number): TypedArray {
  return new arrayTypes[dtype](length);
}

/** The bytes of `buffer`, as they are on a device, as elements of `dtype`. */
export function viewOf(dtype: DType, buffer: ArrayBuffer, offset = 0, length?: number): TypedArray {
  if (dtype === 'f16') return decodeHalves(new Uint16Array(buffer, offset, length));
  return new arrayTypes[dtype](buffer, offset, length);
}
