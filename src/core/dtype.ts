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
export const arrayTypes = { f32: Float32Array, f16: Float32Array, i32: Int32Array, u32: Uint32Array, u8: Uint8Array } as const;

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
