import type { TypedArray } from '../core/dtype.js';

/** Writes keys one after another at the pointer, which runs round the queue. */
export function queueWrite([keys, queue, pointer]: TypedArray[], { N, K, D }: { N: number; K: number; D: number }): void {
  let row = pointer[0] % K;
  for (let i = 0; i < N; i++) {
    for (let d = 0; d < D; d++) queue[row * D + d] = keys[i * D + d];
    row = row + 1 === K ? 0 : row + 1;
  }
  pointer[0] = row;
}
