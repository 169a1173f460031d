import type { TypedArray } from '../core/dtype.js';
import type { Rows } from './row_dot.js';

/** y = (x - mean) / √(var + eps) · gamma + beta over every row, and stats [rows, 2]: the mean and 1 / √(var + eps). */
export function layerNorm([x, gamma, beta, y, stats]: TypedArray[], { rows, C, eps }: Rows & { eps: number }): void {
  for (let r = 0; r < rows; r++) {
    const row = x.subarray(r * C, (r + 1) * C);
    let mean = 0;
    for (const v of row) mean += v / C;
    let variance = 0;
    for (const v of row) variance += (v - mean) ** 2 / C;
    const deviation = Math.sqrt(variance + eps);
    row.forEach((v, c) => (y[r * C + c] = ((v - mean) / deviation) * gamma[c] + beta[c]));
    stats.set([mean, 1 / deviation], 2 * r);
  }
}

/** dx = rstd (g - mean of g - x̂ · mean of g x̂), g = dy gamma. */
export function layerNormGrad([x, dy, gamma, stats, dx]: TypedArray[], { rows, C }: Rows): void {
  for (let r = 0; r < rows; r++) {
    const [mean, rstd] = stats.subarray(2 * r, 2 * r + 2);
    const normal = Array.from({ length: C }, (_, c) => (x[r * C + c] - mean) * rstd);
    const g = normal.map((_, c) => dy[r * C + c] * gamma[c]);
    const average = g.reduce((sum, v) => sum + v, 0) / C;
    const along = g.reduce((sum, v, c) => sum + v * normal[c], 0) / C;
    for (let c = 0; c < C; c++) dx[r * C + c] = (g[c] - average - normal[c] * along) * rstd;
  }
}

/** dgamma = Σ dy x̂ and dbeta = Σ dy over the rows. */
export function layerNormSumsGrad([x, dy, stats, dgamma, dbeta]: TypedArray[], { rows, C }: Rows): void {
  for (let c = 0; c < C; c++) {
    let [sum, sumX] = [0, 0];
    for (let r = 0; r < rows; r++) {
      sum += dy[r * C + c];
      sumX += dy[r * C + c] * (x[r * C + c] - stats[2 * r]) * stats[2 * r + 1];
    }
    [dgamma[c], dbeta[c]] = [sumX, sum];
  }
}
