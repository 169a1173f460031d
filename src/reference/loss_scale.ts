import type { TypedArray } from '../core/dtype.js';

/** How a scale follows what it led to. */
export interface LossScaleParams {
  /** Elements of the gradients. */
  length: number;
  /** Elements of the running statistics. */
  statistics: number;
  /** Good steps in a row after which the scale grows. */
  interval: number;
  growth: number;
  backoff: number;
  least: number;
  most: number;
}

/** state: [scale, good steps since it changed, steps skipped, those in a row]; the guard is 0 for a step to skip. */
export function lossScale(
  [dw, others, state, guard]: TypedArray[],
  { length, statistics, interval, growth, backoff, least, most }: LossScaleParams,
): void {
  const finite = [dw.subarray(0, length), others.subarray(0, statistics)].every((x) =>
    Array.from(x).every(Number.isFinite),
  );
  const [scale, good, skipped, inRow] = state;
  guard[0] = finite ? 1 / scale : 0;
  if (!finite) state.set([Math.max(scale * backoff, least), 0, skipped + 1, inRow + 1]);
  else if (good + 1 < interval) state.set([scale, good + 1, skipped, 0]);
  else state.set([Math.min(scale * growth, most), 0, skipped, 0]);
}
