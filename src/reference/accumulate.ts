import type { TypedArray } from '../core/dtype.js';

/** total = source, or total += source. */
export function accumulate([source, total]: TypedArray[], { length, add }: { length: number; add: boolean }): void {
  for (let i = 0; i < length; i++) total[i] = add ? total[i] + source[i] : source[i];
}
