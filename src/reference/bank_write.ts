import type { TypedArray } from '../core/dtype.js';

/** rows is [N, D], index [N], bank [M, D]. */
export interface BankWriteParams {
  N: number;
  M: number;
  D: number;
}

/** bank[index[n]] = rows[n]; an index past the last row writes nothing. */
export function bankWrite([rows, index, bank]: TypedArray[], { N, M, D }: BankWriteParams): void {
  for (let n = 0; n < N; n++) if (index[n] < M) bank.set(rows.subarray(n * D, (n + 1) * D), index[n] * D);
}
