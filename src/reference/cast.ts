import type { DType, TypedArray } from '../core/dtype.js';

/** y = x as another element type; fractions are dropped towards zero. */
export function cast([x, y]: TypedArray[], { to }: { from: DType; to: DType; length: number }): void {
  for (let i = 0; i < y.length; i++) y[i] = to === 'f32' ? x[i] : Math.trunc(x[i]);
}
