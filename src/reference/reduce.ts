import type { TypedArray } from '../core/dtype.js';
import { beats } from './beats.js';

/** A tensor seen as [A, R, B], to be reduced over R. */
export interface Run {
  A: number;
  R: number;
  B: number;
}

/** y[a, b] = scale · sum or max over r of x[a, r, b]. */
export function reduce([x, y]: TypedArray[], { op, A, R, B, scale }: Run & { op: 'sum' | 'max'; scale: number }): void {
  for (let a = 0; a < A; a++) {
    for (let b = 0; b < B; b++) {
      let total = op === 'sum' ? 0 : -Infinity;
      for (let r = 0; r < R; r++) {
        const v = x[(a * R + r) * B + b];
        total = op === 'sum' ? total + v : Math.max(total, v);
      }
      y[a * B + b] = scale * total;
    }
  }
}

/** dx[a, r, b] = dy[a, b] at the first maximum, else 0. */
export function reduceMaxGrad([place, dy, dx]: TypedArray[], { A, R, B }: Run): void {
  dx.fill(0);
  for (let a = 0; a < A; a++) for (let b = 0; b < B; b++) dx[(a * R + place[a * B + b]) * B + b] = dy[a * B + b];
}

/** y[a, b] = the first r at which x[a, r, b] is largest. */
export function argmax([x, y]: TypedArray[], { A, R, B }: Run): void {
  for (let a = 0; a < A; a++) {
    for (let b = 0; b < B; b++) {
      let best = 0;
      for (let r = 1; r < R; r++) if (beats(x[(a * R + r) * B + b], x[(a * R + best) * B + b])) best = r;
      y[a * B + b] = best;
    }
  }
}
