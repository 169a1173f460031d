import type { TypedArray } from '../core/dtype.js';

/** rows is [N, D], index [N], bank [M, D]; `guarded`: nothing is written where the guard is 0. */
export interface BankWriteParams {
  N: number;
  M: number;
  D: number;
  guarded: boolean;
}

/** bank[index[n]] = rows[n]; an index past the last row writes nothing. */
export function bankWrite([rows, index, guard, bank]: TypedArray[], { N, M, D, guarded }: BankWriteParams): void {
  if (guarded && guard[0] === 0) return;
  for (let n = 0; n < N; n++) if (index[n] < M) bank.set(rows.subarray(n * D, (n + 1) * D), index[n] * D);
}
