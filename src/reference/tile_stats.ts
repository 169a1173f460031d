import type { TypedArray } from '../core/dtype.js';

/**
 * Statistics of y's columns over tiles of `tile` rows: means, less the tile's first value, and sums of squared
 * deviations, [tiles, C].
 */
export function tileStats([y, mean, m2]: TypedArray[], { C, tile }: { C: number; tile: number }): void {
  const rows = y.length / C;
  for (let t = 0; t * tile < rows; t++)
    for (let c = 0; c < C; c++) {
      const column = Array.from({ length: Math.min(tile, rows - t * tile) }, (_, r) => y[(t * tile + r) * C + c]);
      const average = column.reduce((a, v) => a + v, 0) / column.length;
      mean[t * C + c] = average - column[0];
      m2[t * C + c] = column.reduce((a, v) => a + (v - average) ** 2, 0);
    }
}
