import type { TypedArray } from './dtype.js';

/** A number, or lists of them, one in the other. */
export type Nested = number | readonly Nested[];

/**
 * The element type that a tensor of `V` has, as far as the compiler sees it: `any`, which fits everywhere, where a list
 * may be of several kinds.
 */
export type DTypeOf<V extends TypedArray | Nested> = [V] extends [Uint32Array]
  ? 'u32'
  : [V] extends [Int32Array]
    ? 'i32'
    : [V] extends [Uint8Array]
      ? 'u8'
      : [V] extends [Float32Array | Nested]
        ? 'f32'
        : any;
