import { escapeHtml } from './html.js';

/** Pictures on a plane; each has its place, NaN where there is none, and may have a thumbnail and a class. */
export interface MapData {
  /** f32 [count, 2] */
  points: Float32Array;
  by: string;
  /** A `data:image/...` address for each picture. */
  thumbnails: readonly string[];
  names: readonly string[];
  labels?: ArrayLike<number>;
  classes?: readonly string[];
}

const [WIDTH, HEIGHT, CELL, MARGIN] = [1040, 640, 36, 24];

/** A map with a dot for every picture and, where there is room, its thumbnail, both in the colour of its class. */
export function reportMap({ points, by, thumbnails, names, labels, classes }: MapData): string {
  const places = placed(points);
  const taken = new Set<string>();
  const colour = (i: number) => (labels && classes ? hue(labels[i], classes.length) : 'var(--t1)');
  const dots: string[] = [];
  const shown: string[] = [];
  places.forEach(([x, y], i) => {
    if (Number.isNaN(x + y)) return;
    const cell = `${Math.floor(x / CELL)} ${Math.floor(y / CELL)}`;
    const label = escapeHtml(labels && classes ? `${names[i]} (${classes[labels[i]]})` : names[i]);
    dots.push(`<circle cx="${x}" cy="${y}" r="3" style="fill:${colour(i)}"><title>${label}</title></circle>`);
    if (taken.has(cell) || !thumbnails[i].startsWith('data:image/')) return;
    taken.add(cell);
    const [left, top, side] = [x - CELL / 2 + 2, y - CELL / 2 + 2, CELL - 4];
    shown.push(
      `<g><title>${label}</title><image href="${escapeHtml(thumbnails[i])}" x="${left}" y="${top}" ` +
        `width="${side}" height="${side}"/>` +
        `<rect x="${left}" y="${top}" width="${side}" height="${side}" rx="2" style="stroke:${colour(i)}"/></g>`,
    );
  });
  const keys = classes?.map(
    (c, i) => `<span class="key" style="--tone:${hue(i, classes.length)}">${escapeHtml(c)}</span>`,
  );
  const legend = labels && keys ? `<p class="keys">${keys.join('')}</p>` : '';
  const lost = places.length - dots.length;
  const missing = lost > 0 ? `${lost} more have features that are not finite. ` : '';
  return (
    `<section><h2>Map of features</h2><p class="muted">${dots.length} pictures, ` +
    `by ${escapeHtml(by)} of their features. ${missing}` +
    `A dot is a picture; thumbnails where there is room.</p>${legend}<div class="card map">` +
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" ` +
    `aria-label="Map of ${dots.length} pictures by ${escapeHtml(by)}">` +
    `${dots.join('')}${shown.join('')}</svg></div></section>`
  );
}

const hue = (index: number, of: number): string => `hsl(${Math.round((360 * index) / of)} 65% 50%)`;

/** The points in the picture: both axes fitted to all but the outermost hundredth, which is moved to the edge. */
function placed(points: Float32Array): [x: number, y: number][] {
  const axis = (offset: 0 | 1, length: number) => {
    const values = Array.from({ length: points.length / 2 }, (_, i) => points[2 * i + offset]);
    const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
    const [lo, hi] = [sorted[Math.floor(0.005 * sorted.length)], sorted[Math.ceil(0.995 * sorted.length) - 1]];
    return values.map(
      (v) =>
        Math.round(10 * (MARGIN + Math.min(1, Math.max(0, (v - lo) / (hi - lo || 1))) * (length - 2 * MARGIN))) / 10,
    );
  };
  const [xs, ys] = [axis(0, WIDTH), axis(1, HEIGHT)];
  return xs.map((x, i) => [x, ys[i]]);
}
