/** Element types that are written; F16 and BF16 are read as F32. */
export type StoredDType = 'F32' | 'I64' | 'I32' | 'U32' | 'U8';

/** The array that holds each element type. */
export interface StoredArrays {
  F32: Float32Array;
  I64: BigInt64Array;
  I32: Int32Array;
  U32: Uint32Array;
  U8: Uint8Array;
}

/** One tensor of a file, row-major. */
export interface StoredTensor {
  dtype: StoredDType;
  shape: number[];
  data: StoredArrays[StoredDType];
}

/** The constructor of each element type's array. */
export const STORED_ARRAYS = {
  F32: Float32Array,
  I64: BigInt64Array,
  I32: Int32Array,
  U32: Uint32Array,
  U8: Uint8Array,
} as const;

/** A header longer than this is refused, as by the reference implementation. */
export const LARGEST_HEADER = 100_000_000; // bytes
