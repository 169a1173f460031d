import type { TypedArray } from '../core/dtype.js';
import type { Rows } from './row_dot.js';

/** y[n] = x[n, column[n]]; a column past the last is taken for the last. */
export function pick([x, column, y]: TypedArray[], { rows, C }: Rows): void {
  for (let n = 0; n < rows; n++) y[n] = x[n * C + (column[n] < C ? column[n] : C - 1)];
}
