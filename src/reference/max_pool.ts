import type { TypedArray } from '../core/dtype.js';
import { beats } from './beats.js';
import { type PoolParams, windows } from './pool.js';

/** y = the largest of every window, and the place in the window of the first that is. */
export function maxPool([x, y, place]: TypedArray[], params: PoolParams): void {
  windows(params, (iy, pixels) => {
    const best = pixels.reduce((a, b) => (beats(x[b.ix], x[a.ix]) ? b : a));
    y[iy] = x[best.ix];
    place[iy] = best.place;
  });
}

/** dx: every output sends its dy to the pixel it chose. */
export function maxPoolGrad([place, dy, dx]: TypedArray[], params: PoolParams): void {
  const total = new Float64Array(dx.length);
  windows(params, (iy, pixels) => {
    total[pixels.find((pixel) => pixel.place === place[iy])!.ix] += dy[iy];
  });
  dx.set(total);
}
