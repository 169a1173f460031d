/** What JSON makes of a number that is not finite, or a measure that is not there: no mean has it in. */
type Absent = null | undefined;

/** NaN without values, and where one of them is not finite: a mean that leaves out what went wrong would hide it. */
export const mean = (values: readonly (number | Absent)[]): number =>
  values.reduce((sum: number, v) => sum + (Number.isFinite(v) ? v! : NaN), 0) / values.length;

/** Whether every value is finite. */
export function allFinite(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

/** The mean squared distance from the mean. */
export const variance = (values: readonly (number | Absent)[]): number => {
  const middle = mean(values);
  return mean(values.map((v) => (v! - middle) ** 2));
};

/** Standard deviation of a sample (n - 1); 0 for one value, NaN for none and where one is not finite. */
export const spread = (values: readonly (number | Absent)[]): number =>
  values.length < 2 ? 0 * mean(values) : Math.sqrt((variance(values) * values.length) / (values.length - 1));

/**
 * How far a curve is from smooth: the variance of its changes from one value to the next. 0 for a straight line,
 * however steep, and for fewer than three values; NaN where one is not finite.
 */
export const roughness = (curve: readonly number[]): number =>
  !allFinite(curve) ? NaN : curve.length < 3 ? 0 : variance(curve.slice(1).map((v, i) => v - curve[i]));
