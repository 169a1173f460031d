import { plain } from '../core/numbers.js';
import type { Point } from '../core/points.js';

/** Dots of a braille cell, two wide and four high, as bits of its code point. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
];

/**
 * A line of `points`, sorted by x, as `height` rows of braille characters, `width` in all, with the range of y at the
 * left. Nothing without points.
 */
export function brailleChart(points: readonly Point[], width: number, height: number): string[] {
  const sound = points.filter(([, y]) => Number.isFinite(y));
  if (sound.length === 0) return [];
  const [lo, hi] = sound.reduce(([a, b], [, y]) => [Math.min(a, y), Math.max(b, y)], [Infinity, -Infinity]);
  const names = [plain(hi), plain(lo)];
  const left = Math.max(...names.map((n) => n.length)) + 2;
  const columns = Math.max(1, width - left);
  const cells = Array.from({ length: height }, () => new Uint8Array(columns));
  const rows = 4 * height - 1;
  let last: number | undefined;
  means(sound, 2 * columns).forEach((y, x) => {
    if (y === undefined) return;
    const row = Math.round(((hi - y) / (hi - lo || 1)) * rows);
    const [top, bottom] =
      last === undefined
        ? [row, row]
        : [Math.min(row, last + Math.sign(row - last)), Math.max(row, last + Math.sign(row - last))];
    for (let r = top; r <= bottom; r++) cells[r >> 2][x >> 1] |= DOTS[r & 3][x & 1];
    last = row;
  });
  const name = (i: number) => (i === 0 ? names[0] : i === height - 1 ? names[1] : '');
  return cells.map(
    (row, i) => `${name(i).padStart(left - 2)} ┤${String.fromCharCode(...Array.from(row, (bits) => 0x2800 + bits))}`,
  );
}

/** The mean of what falls into each of `columns` equal parts of x; undefined where nothing does. */
function means(points: readonly Point[], columns: number): (number | undefined)[] {
  const [first, last] = [points[0][0], points[points.length - 1][0]];
  const [sums, counts] = [new Array<number>(columns).fill(0), new Array<number>(columns).fill(0)];
  for (const [x, y] of points) {
    const at = last === first ? 0 : Math.min(columns - 1, Math.floor(((x - first) / (last - first)) * columns));
    sums[at] += y;
    counts[at]++;
  }
  return sums.map((sum, i) => (counts[i] > 0 ? sum / counts[i] : undefined));
}
