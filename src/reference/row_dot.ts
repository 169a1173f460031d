import type { TypedArray } from '../core/dtype.js';

/** A tensor seen as rows along its last axis. */
export interface Rows {
  rows: number;
  C: number;
}

/** d[r] = Σ_c a[r, c] b[r, c]. */
export function rowDot([a, b, d]: TypedArray[], { rows, C }: Rows): void {
  for (let r = 0; r < rows; r++) {
    let total = 0;
    for (let c = 0; c < C; c++) total += a[r * C + c] * b[r * C + c];
    d[r] = total;
  }
}
