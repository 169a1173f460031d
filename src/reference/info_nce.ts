import type { TypedArray } from '../core/dtype.js';

/** N queries of D values, K negatives, and the temperature T. */
export interface InfoNceParams {
  N: number;
  K: number;
  D: number;
  temperature: number;
}

/**
 * Cross-entropy of each query against its positive key and K negatives, the positive being the right class:
 * the loss of every query, its rank (how many negatives do not score below the positive; 2^32 where the loss is not
 * finite), and d mean(loss) / dq.
 */
export function infoNce(
  [q, positive, queue, loss, rank, dq]: TypedArray[],
  { N, K, D, temperature }: InfoNceParams,
): void {
  for (let i = 0; i < N; i++) {
    const keys = [positive.subarray(i * D, (i + 1) * D)];
    for (let j = 0; j < K; j++) keys.push(queue.subarray(j * D, (j + 1) * D));
    const logits = keys.map((key) => {
      let dot = 0;
      for (let d = 0; d < D; d++) dot += q[i * D + d] * key[d];
      return dot / temperature;
    });
    const top = logits.reduce((a, b) => Math.max(a, b));
    const total = logits.reduce((sum, s) => sum + Math.exp(s - top), 0);
    loss[i] = top + Math.log(total) - logits[0];
    rank[i] = Number.isFinite(loss[i]) ? logits.slice(1).filter((s) => !(s < logits[0])).length : 2 ** 32;
    for (let d = 0; d < D; d++) {
      let expected = 0;
      keys.forEach((key, j) => (expected += (Math.exp(logits[j] - top) / total) * key[d]));
      dq[i * D + d] = (expected - positive[i * D + d]) / (temperature * N);
    }
  }
}
