import type { TypedArray } from '../core/dtype.js';

/** y = a where the condition is not 0, else b. */
export function where([condition, a, b, y]: TypedArray[], { length }: { length: number }): void {
  for (let i = 0; i < length; i++) y[i] = condition[i] === 0 ? b[i] : a[i];
}
