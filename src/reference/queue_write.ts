import type { TypedArray } from '../core/dtype.js';

/** keys is [N, D], queue [K, D]; `guarded`: nothing is written where the guard is 0. */
export interface QueueWriteParams {
  N: number;
  K: number;
  D: number;
  guarded: boolean;
}

/** Writes keys one after another at the pointer, which runs round the queue. */
export function queueWrite([keys, guard, queue, pointer]: TypedArray[], { N, K, D, guarded }: QueueWriteParams): void {
  if (guarded && guard[0] === 0) return;
  let row = pointer[0] % K;
  for (let i = 0; i < N; i++) {
    for (let d = 0; d < D; d++) queue[row * D + d] = keys[i * D + d];
    row = row + 1 === K ? 0 : row + 1;
  }
  pointer[0] = row;
}
