import type { TypedArray } from '../core/dtype.js';

/** target = m target + (1 - m) source. */
export function ema([source, m, target]: TypedArray[], { length }: { length: number }): void {
  for (let i = 0; i < length; i++) target[i] = m[0] * target[i] + (1 - m[0]) * source[i];
}
