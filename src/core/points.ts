export type Point = readonly [x: number, y: number];

/**
 * At most `limit` (>= 4) of `points`, the first and last among them: of each run of neighbours
 * the lowest and the highest, so that spikes stay. Points that are not finite are left out.
 */
export function thin(points: readonly Point[], limit = 400): Point[] {
  const all = points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
  if (all.length <= limit) return all;
  const inner = all.slice(1, -1);
  const runs = Math.floor((limit - 2) / 2);
  const chosen = [all[0]];
  for (let r = 0; r < runs; r++) {
    const run = inner.slice(Math.floor((r * inner.length) / runs), Math.floor(((r + 1) * inner.length) / runs));
    const low = run.reduce((a, b) => (b[1] < a[1] ? b : a));
    const high = run.reduce((a, b) => (b[1] >= a[1] ? b : a));
    chosen.push(...[low, high].filter((p, i, two) => i === 0 || p !== two[0]).sort((a, b) => a[0] - b[0]));
  }
  return [...chosen, all[all.length - 1]];
}

/** The running mean of `points` over `2 * reach + 1` neighbours, fewer at the ends, each by its weight. */
export function runningMean(points: readonly Point[], reach: number, weights = points.map(() => 1)): Point[] {
  const [sums, totals] = [[0], [0]];
  points.forEach(([, y], i) => {
    sums.push(sums[i] + weights[i] * y);
    totals.push(totals[i] + weights[i]);
  });
  return points.map(([x], i) => {
    const [lo, hi] = [Math.max(0, i - reach), Math.min(points.length, i + reach + 1)];
    return [x, (sums[hi] - sums[lo]) / (totals[hi] - totals[lo])] as const;
  });
}
