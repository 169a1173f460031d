import type { TypedArray } from '../core/dtype.js';

/** state = saved, if the guard is 0. */
export function restore([saved, guard, state]: TypedArray[], { length }: { length: number }): void {
  if (guard[0] === 0) for (let i = 0; i < length; i++) state[i] = saved[i];
}
