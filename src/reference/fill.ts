import type { TypedArray } from '../core/dtype.js';

/** y = value, everywhere. */
export function fill([y]: TypedArray[], { value }: { value: number }): void {
  for (let i = 0; i < y.length; i++) y[i] = value;
}
