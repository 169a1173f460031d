import type { TypedArray } from '../core/dtype.js';
import type { Rows } from './row_dot.js';

/** The maximum m and Σ exp(x - m) of every row: [rows, 2]. */
export function softmaxStats([x, stats]: TypedArray[], { rows, C }: Rows): void {
  for (let r = 0; r < rows; r++) {
    const row = Array.from(x.subarray(r * C, (r + 1) * C));
    const most = row.reduce((a, b) => Math.max(a, b), -Infinity);
    stats[2 * r] = most;
    stats[2 * r + 1] = row.reduce((total, v) => total + Math.exp(v - most), 0);
  }
}

/** y = exp(x - m) / Σ exp(x - m), or its logarithm. */
export function softmax([x, y]: TypedArray[], { rows, C, log }: Rows & { log: boolean }): void {
  const stats = new Float64Array(2 * rows) as unknown as TypedArray;
  softmaxStats([x, stats], { rows, C });
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < C; c++) {
      const logit = x[r * C + c] - stats[2 * r];
      y[r * C + c] = log ? logit - Math.log(stats[2 * r + 1]) : Math.exp(logit) / stats[2 * r + 1];
    }
}

/** dx = Jᵀ dy, J[c, k] = y[c] ([c = k] - y[k]) for softmax and [c = k] - softmax[k] for its logarithm. */
export function softmaxGrad([y, dy, dx]: TypedArray[], { rows, C, log }: Rows & { log: boolean }): void {
  for (let r = 0; r < rows; r++) {
    let total = 0;
    for (let c = 0; c < C; c++) total += (log ? 1 : y[r * C + c]) * dy[r * C + c];
    for (let c = 0; c < C; c++) {
      const i = r * C + c;
      dx[i] = log ? dy[i] - total * Math.exp(y[i]) : y[i] * dy[i] - total * y[i];
    }
  }
}
