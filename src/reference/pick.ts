import type { TypedArray } from '../core/dtype.js';
import type { Rows } from './row_dot.js';

/** y[n] = x[n, column[n]]; NaN for a column past the last. */
export function pick([x, column, y]: TypedArray[], { rows, C }: Rows): void {
  for (let n = 0; n < rows; n++) y[n] = column[n] < C ? x[n * C + column[n]] : NaN;
}
