import type { TypedArray } from '../core/dtype.js';
import { type PoolParams, windows } from './pool.js';

type Params = PoolParams & { countPad: boolean };

/** y = the mean of every window, over all its places or over those in the picture. */
export function avgPool([x, y]: TypedArray[], params: Params): void {
  windows(params, (iy, pixels) => {
    y[iy] =
      pixels.reduce((total, { ix }) => total + x[ix], 0) / (params.countPad ? params.R * params.S : pixels.length);
  });
}

/** dx: every output sends equal shares of its dy to the pixels of its window. */
export function avgPoolGrad([dy, dx]: TypedArray[], params: Params): void {
  const total = new Float64Array(dx.length);
  windows(params, (iy, pixels) => {
    for (const { ix } of pixels) total[ix] += dy[iy] / (params.countPad ? params.R * params.S : pixels.length);
  });
  dx.set(total);
}
