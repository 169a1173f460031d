import type { TypedArray } from '../core/dtype.js';

/**
 * x is [rows, width], index [M]; an index past the last row gives NaN, or -1 where there is none, and passes no
 * gradient on.
 */
export interface GatherParams {
  rows: number;
  width: number;
  M: number;
}

/** y[m] = x[index[m]]. */
export function gather([x, index, y]: TypedArray[], { rows, width, M }: GatherParams): void {
  for (let m = 0; m < M; m++) {
    const r = index[m];
    if (r < rows) y.set(x.subarray(r * width, (r + 1) * width), m * width);
    // as u32, the largest
    else y.fill(y instanceof Float32Array || y instanceof Float64Array ? NaN : -1, m * width, (m + 1) * width);
  }
}

/** dx[index[m]] += dy[m], m in order. */
export function gatherGrad([dy, index, dx]: TypedArray[], { rows, width, M }: GatherParams): void {
  const total = new Float64Array(rows * width);
  for (let m = 0; m < M; m++) {
    const r = index[m];
    if (r >= rows) continue;
    for (let w = 0; w < width; w++) total[r * width + w] += dy[m * width + w];
  }
  dx.set(total);
}
