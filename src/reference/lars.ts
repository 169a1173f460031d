import type { TypedArray } from '../core/dtype.js';

/** Constants of a step of LARS over `length` values. */
export interface LarsParams {
  momentum: number;
  weightDecay: number;
  trust: number;
  /** dw is to be multiplied by the guard; where that is 0, nothing changes. */
  scaled: boolean;
}

/**
 * One step of LARS. Chunks are [start / 4, length / 4, tensor, adapted?], ranges [first chunk, chunks] of every tensor.
 */
export function lars(
  [dw, lr, chunks, ranges, guard, w, v]: TypedArray[],
  { momentum, weightDecay, trust, scaled }: LarsParams,
): void {
  if (scaled && guard[0] === 0) return;
  for (let t = 0; t < ranges.length / 2; t++) {
    const [first, count] = [ranges[2 * t], ranges[2 * t + 1]];
    const last = 4 * (first + count - 1);
    const [start, end] = [4 * chunks[4 * first], 4 * (chunks[last] + chunks[last + 1])];
    const adapted = chunks[4 * first + 3] === 1;
    const dp = Array.from(
      { length: end - start },
      (_, i) => dw[start + i] * (scaled ? guard[0] : 1) + (adapted ? weightDecay * w[start + i] : 0),
    );
    const norm = (x: ArrayLike<number>) => Math.sqrt(Array.from(x).reduce((sum, e) => sum + e ** 2, 0));
    const [ofW, ofD] = [norm(w.subarray(start, end)), norm(dp)];
    const ratio = adapted && ofW > 0 && ofD > 0 ? (trust * ofW) / ofD : 1;
    dp.forEach((d, i) => {
      v[start + i] = momentum * v[start + i] + ratio * d;
      w[start + i] -= lr[0] * v[start + i];
    });
  }
}
