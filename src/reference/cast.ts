import type { DType, TypedArray } from '../core/dtype.js';

/** The least and the largest f32 that each type holds; WGSL converts what lies beyond to these. */
const ends = { i32: [-(2 ** 31), 2 ** 31 - 128], u32: [0, 2 ** 32 - 256] } as const;

/**
 * y = x as another element type; fractions are dropped towards zero, and floats out of range become the nearest in it.
 */
export function cast([x, y]: TypedArray[], { from, to }: { from: DType; to: DType; length: number }): void {
  const [least, largest] = from === 'f32' && (to === 'i32' || to === 'u32') ? ends[to] : [-Infinity, Infinity];
  for (let i = 0; i < y.length; i++) y[i] = to === 'f32' ? x[i] : Math.trunc(Math.min(Math.max(x[i], least), largest));
}
