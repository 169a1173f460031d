import type { TypedArray } from '../core/dtype.js';
import type { Rows } from './row_dot.js';

/**
 * loss[r] = -ln softmax(x[r])[label[r]], NaN for a label past the last class; stats hold the maximum and the sum of
 * every row.
 */
export function crossEntropy([x, labels, stats, loss]: TypedArray[], { rows, C }: Rows): void {
  for (let r = 0; r < rows; r++)
    loss[r] = labels[r] < C ? Math.log(stats[2 * r + 1]) + stats[2 * r] - x[r * C + labels[r]] : NaN;
}

/** dx[r] = dloss[r] (softmax(x[r]) - one-hot of label[r]), NaN for a label past the last class. */
export function crossEntropyGrad([x, labels, stats, dloss, dx]: TypedArray[], { rows, C }: Rows): void {
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < C; c++) {
      const target = labels[r] < C ? Number(c === labels[r]) : NaN;
      dx[r * C + c] = (Math.exp(x[r * C + c] - stats[2 * r]) / stats[2 * r + 1] - target) * dloss[r];
    }
}
