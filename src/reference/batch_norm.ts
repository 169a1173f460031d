import type { TypedArray } from '../core/dtype.js';

/** x is [N, L, C]; sample n belongs to split n % splits, and every split has statistics of its own. */
export interface BatchNormParams {
  N: number;
  L: number;
  C: number;
  splits: number;
  eps: number;
}

/** Calls `visit` with every place in x of split `s` and channel `c`. */
function places({ N, L, C, splits }: BatchNormParams, s: number, c: number, visit: (i: number) => void): void {
  for (let n = s; n < N; n += splits) for (let l = 0; l < L; l++) visit((n * L + l) * C + c);
}

/** Calls `visit` with every split and channel, and where their statistics lie in [splits, C]. */
function columns({ C, splits }: BatchNormParams, visit: (s: number, c: number, i: number) => void): void {
  for (let s = 0; s < splits; s++) for (let c = 0; c < C; c++) visit(s, c, s * C + c);
}

/**
 * As `batchNormStats`, of the statistics that `tileStats` tells: what lies within a tile, and its mean's distance from
 * the whole's.
 */
export function batchNormStatsTiles(
  [x, tileMean, tileM2, ...out]: TypedArray[],
  p: StatsParams & { tile: number },
): void {
  statistics(out, p, (s, c) => {
    const tiles: { n: number; mean: number; m2: number }[] = [];
    for (let t = 0; t * p.tile * p.C < x.length; t++) {
      const [first, at] = [t * p.tile, t * p.C + c];
      if (Math.floor(first / p.L) % p.splits === s)
        tiles.push({ n: Math.min(p.tile, p.N * p.L - first), mean: x[first * p.C + c] + tileMean[at], m2: tileM2[at] });
    }
    const mean = tiles.reduce((a, t) => a + t.n * t.mean, 0) / ((p.N / p.splits) * p.L);
    return { mean, squares: tiles.reduce((a, t) => a + t.m2 + t.n * (t.mean - mean) ** 2, 0) };
  });
}

type StatsParams = BatchNormParams & { momentum: number };

/**
 * Means and biased variances by the definition, in two passes; running ones move to the average over splits, unbiased.
 */
export function batchNormStats([x, ...out]: TypedArray[], p: StatsParams): void {
  statistics(out, p, (s, c) => {
    let total = 0;
    places(p, s, c, (at) => (total += x[at]));
    const mean = total / ((p.N / p.splits) * p.L);
    let squares = 0;
    places(p, s, c, (at) => (squares += (x[at] - mean) ** 2));
    return { mean, squares };
  });
}

function statistics(
  [mean, variance, runningMean, runningVar]: TypedArray[],
  p: StatsParams,
  of: (s: number, c: number) => { mean: number; squares: number },
): void {
  const rows = (p.N / p.splits) * p.L;
  const averages = new Float64Array(2 * p.C);
  columns(p, (s, c, i) => {
    const { mean: average, squares } = of(s, c);
    mean[i] = average;
    variance[i] = squares / rows;
    averages[c] += average / p.splits;
    averages[p.C + c] += squares / (rows - 1) / p.splits;
  });
  for (let c = 0; c < p.C; c++) {
    runningMean[c] += p.momentum * (averages[c] - runningMean[c]);
    runningVar[c] += p.momentum * (averages[p.C + c] - runningVar[c]);
  }
}

/** y = (x - mean) / √(var + eps) · gamma + beta, + residual, and max(0, ·), as asked. */
export function batchNorm(
  [x, mean, variance, gamma, beta, residual, y]: TypedArray[],
  p: BatchNormParams & { affine: boolean; add: boolean; relu: boolean },
): void {
  columns(p, (s, c, i) =>
    places(p, s, c, (at) => {
      let v = (x[at] - mean[i]) / Math.sqrt(variance[i] + p.eps);
      if (p.affine) v = gamma[c] * v + beta[c];
      if (p.add) v += residual[at];
      y[at] = p.relu ? Math.max(v, 0) : v;
    }),
  );
}

/**
 * dz = dy where relu let y through; Σ dz and Σ dz x̂ of every split ([splits, 2, C]), and over splits: dbeta, dgamma.
 */
export function batchNormSumsGrad(
  [x, dy, y, mean, variance, sums, dgamma, dbeta, dz]: TypedArray[],
  p: BatchNormParams & { relu: boolean; writeDz: boolean },
): void {
  const totals = new Float64Array(2 * p.C);
  columns(p, (s, c, i) => {
    let sum = 0;
    let sumX = 0;
    places(p, s, c, (at) => {
      const d = p.relu && y[at] <= 0 ? 0 : dy[at];
      if (p.writeDz) dz[at] = d;
      sum += d;
      sumX += (d * (x[at] - mean[i])) / Math.sqrt(variance[i] + p.eps);
    });
    sums.set([sum], 2 * s * p.C + c);
    sums.set([sumX], 2 * s * p.C + p.C + c);
    totals[c] += sum;
    totals[p.C + c] += sumX;
  });
  dbeta.set(totals.subarray(0, p.C));
  dgamma.set(totals.subarray(p.C));
}

/**
 * dx = gamma / √(var + eps) · (dz - mean of dz - x̂ · mean of dz x̂); the means are 0 where the statistics are given.
 */
export function batchNormGrad(
  [x, dy, y, mean, variance, gamma, sums, dx]: TypedArray[],
  p: BatchNormParams & { affine: boolean; relu: boolean; train: boolean },
): void {
  const rows = (p.N / p.splits) * p.L;
  columns(p, (s, c, i) =>
    places(p, s, c, (at) => {
      const deviation = Math.sqrt(variance[i] + p.eps);
      let d = p.relu && y[at] <= 0 ? 0 : dy[at];
      if (p.train)
        d -= sums[2 * s * p.C + c] / rows + ((x[at] - mean[i]) / deviation) * (sums[2 * s * p.C + p.C + c] / rows);
      dx[at] = ((p.affine ? gamma[c] : 1) * d) / deviation;
    }),
  );
}
