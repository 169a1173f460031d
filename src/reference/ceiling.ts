import type { TypedArray } from '../core/dtype.js';

/** y = x. */
export function ceilingCopy([x, y]: TypedArray[]): void {
  y.set(x);
}

/**
 * y[t] = Σ_c a_c over 12 chains, a_c = x[t mod 64 + c] at first and then `each` times a_c m + m, m = x[0]; all of 4
 * lanes.
 */
export function ceilingFma([x, y]: TypedArray[], { groups, each }: { groups: number; each: number }): void {
  for (let t = 0; t < 64 * groups; t++)
    for (let lane = 0; lane < 4; lane++) {
      let total = 0;
      for (let c = 0; c < 12; c++) {
        let a = x[4 * ((t % 64) + c) + lane];
        for (let i = 0; i < each; i++) a = a * x[lane] + x[lane];
        total += a;
      }
      y[4 * t + lane] = total;
    }
}
