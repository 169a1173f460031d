import type { TypedArray } from '../core/dtype.js';
import type { Rows } from './row_dot.js';

const classOf = (labels: TypedArray, r: number, C: number) => (labels[r] < C ? labels[r] : C - 1);

/** loss[r] = -ln softmax(x[r])[label[r]]; stats hold the maximum and the sum of every row. */
export function crossEntropy([x, labels, stats, loss]: TypedArray[], { rows, C }: Rows): void {
  for (let r = 0; r < rows; r++) loss[r] = Math.log(stats[2 * r + 1]) + stats[2 * r] - x[r * C + classOf(labels, r, C)];
}

/** dx[r] = dloss[r] (softmax(x[r]) - one-hot of label[r]). */
export function crossEntropyGrad([x, labels, stats, dloss, dx]: TypedArray[], { rows, C }: Rows): void {
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < C; c++) {
      const target = c === classOf(labels, r, C) ? 1 : 0;
      dx[r * C + c] = (Math.exp(x[r * C + c] - stats[2 * r]) / stats[2 * r + 1] - target) * dloss[r];
    }
}
