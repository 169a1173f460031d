/** Element types of a tensor. `u8` is storage for pictures: it is read by `augment` and `cast`. */
export type DType = 'f32' | 'i32' | 'u32' | 'u8';

/** Any array a mirror may be handed; the f64 reference backend stores `f32` tensors as Float64Array. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

/** The array that holds elements of each type. */
export const arrayTypes = { f32: Float32Array, i32: Int32Array, u32: Uint32Array, u8: Uint8Array } as const;

/** Bytes of one element. */
export const bytesOf = (dtype: DType): number => arrayTypes[dtype].BYTES_PER_ELEMENT;

/** A zeroed array of `length` elements of `dtype`. */
export function arrayOf(dtype: DType, length: number): TypedArray {
  return new arrayTypes[dtype](length);
}

/** Views the bytes of `buffer` as elements of `dtype`. */
export function viewOf(dtype: DType, buffer: ArrayBuffer, offset = 0, length?: number): TypedArray {
  return new arrayTypes[dtype](buffer, offset, length);
}
