import type { TypedArray } from '../core/dtype.js';

/** Sizes of pictures and views, and the normalisation of channels. */
export interface AugmentParams {
  /** Pictures of the data set and their size; all 0 where `index` says the first pixel, height and width of each. */
  M: number;
  H: number;
  W: number;
  /** Pictures of the batch and their size. */
  N: number;
  height: number;
  width: number;
  mean: readonly number[];
  std: readonly number[];
}

/** Rows of pixels of three channels. */
type Picture = number[][][];

/**
 * y = the pictures named by `index`, each augmented as its row of `table` says and normalised; NaN where there is no
 * such picture.
 */
export function augment([pictures, index, table, y]: TypedArray[], p: AugmentParams): void {
  const columns = 17;
  for (let n = 0; n < p.N; n++) {
    const row = Array.from(table.subarray(n * columns, (n + 1) * columns));
    const [top, left, h, w] = row;
    if (!((p.H === 0 || index[n] < p.M) && Math.min(h, w) >= 1)) {
      y.fill(NaN, n * p.height * p.width * 3, (n + 1) * p.height * p.width * 3);
      continue;
    }
    const [first, height, width] = p.H > 0 ? [index[n] * p.H * p.W, p.H, p.W] : index.subarray(3 * n, 3 * n + 3);
    const whole = asPicture(pictures.subarray(3 * first, 3 * (first + height * width)), width);
    let x = whole.slice(top, top + h).map((line) => line.slice(left, left + w));
    x = transposed(resizeRows(transposed(resizeRows(x, p.height)), p.width));
    for (let i = 4; i < 14; i += 2) x = colourStep(x, row[i], row[i + 1]);
    if (row[14] > 0) x = transposed(blurRows(transposed(blurRows(x, row[14])), row[14]));
    if (row[15] === 1) x = mapped(x, (c) => c.map((v) => (v < 0.5 ? v : 1 - v)));
    if (row[16] === 1) x = x.map((line) => [...line].reverse());
    x = mapped(x, (c) => c.map((v, k) => (v - p.mean[k]) / p.std[k]));
    y.set(x.flat(2), n * p.height * p.width * 3);
  }
}

function asPicture(bytes: TypedArray, width: number): Picture {
  const pixels = Array.from({ length: bytes.length / 3 }, (_, i) => [0, 1, 2].map((k) => bytes[3 * i + k] / 255));
  return Array.from({ length: pixels.length / width }, (_, r) => pixels.slice(r * width, (r + 1) * width));
}

const mapped = (x: Picture, f: (pixel: number[]) => number[]): Picture => x.map((line) => line.map(f));
const transposed = (x: Picture): Picture => x[0].map((_, c) => x.map((line) => line[c]));

/** Weighted mean of rows of a picture, `weight(r)` for row r. */
function meanRow(x: Picture, weight: (row: number) => number): number[][] {
  const weights = x.map((_, r) => weight(r));
  const total = weights.reduce((a, b) => a + b);
  return x[0].map((_, c) => [0, 1, 2].map((k) => x.reduce((sum, line, r) => sum + weights[r] * line[c][k], 0) / total));
}

/** As many rows as asked for, by a triangle of half-width one row of the larger picture. */
function resizeRows(x: Picture, to: number): Picture {
  const step = x.length / to;
  const half = step > 1 ? step : 1;
  return Array.from({ length: to }, (_, i) =>
    meanRow(x, (r) => Math.max(0, half - Math.abs(r + 0.5 - (i + 0.5) * step))),
  );
}

/** Pillow's Gaussian blur along columns: three equal boxes, edges repeated before each. */
function blurRows(x: Picture, sigma: number): Picture {
  const weights = boxOf(sigma);
  const reach = (weights.length - 1) / 2;
  const pass = (rows: Picture) =>
    rows.map((line, i) =>
      line.map((pixel, c) =>
        pixel.map((_, k) => {
          const at = (t: number) => Math.max(0, Math.min(rows.length - 1, i + t - reach));
          return sumOf(weights.map((w, t) => w * rows[at(t)][c][k])) / sumOf(weights);
        }),
      ),
    );
  return pass(pass(pass(x)));
}

/** Weights of the box of variance sigma² / 3: ones between two ends, which are found by bisection. */
function boxOf(sigma: number): number[] {
  const variance = (w: number[]) => sumOf(w.map((v, i) => v * (i - (w.length - 1) / 2) ** 2)) / sumOf(w);
  const box = (whole: number, end: number) => [end, ...new Array<number>(2 * whole + 1).fill(1), end];
  let whole = 0;
  while (variance(box(whole, 1)) < sigma ** 2 / 3) whole++;
  let [low, high] = [0, 1];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (variance(box(whole, middle)) < sigma ** 2 / 3) low = middle;
    else high = middle;
  }
  return box(whole, low);
}

const sumOf = (values: number[]): number => values.reduce((a, b) => a + b);

const greyOf = ([r, g, b]: number[]): number => 0.299 * r + 0.587 * g + 0.114 * b;

/** torchvision's adjust_brightness, adjust_contrast, adjust_saturation and adjust_hue. */
function colourStep(x: Picture, code: number, factor: number): Picture {
  const blend = (pixel: number[], other: number) =>
    pixel.map((v) => Math.max(0, Math.min(1, factor * v + (1 - factor) * other)));
  if (code === 1) return mapped(x, (pixel) => blend(pixel, 0));
  if (code === 2) {
    const greys = x.flat().map(greyOf);
    const mean = greys.reduce((a, b) => a + b) / greys.length;
    return mapped(x, (pixel) => blend(pixel, mean));
  }
  if (code === 3) return mapped(x, (pixel) => blend(pixel, greyOf(pixel)));
  if (code === 4) return mapped(x, (pixel) => turned(pixel, factor));
  return x;
}

/** A colour with its hue turned, by way of HSV. */
function turned([r, g, b]: number[], turn: number): number[] {
  const v = Math.max(r, g, b);
  const range = v - Math.min(r, g, b);
  const s = v === 0 ? 0 : range / v;
  let h = 0;
  if (range > 0) h = (v === r ? (g - b) / range : v === g ? (b - r) / range + 2 : (r - g) / range + 4) / 6;
  h = (((h + turn) % 1) + 1) % 1;
  const i = Math.floor(h * 6);
  const f = h * 6 - i;
  const [p, q, t] = [v * (1 - s), v * (1 - s * f), v * (1 - s * (1 - f))];
  return [
    [v, t, p],
    [q, v, p],
    [p, v, t],
    [p, q, v],
    [t, p, v],
    [v, p, q],
  ][i % 6];
}
