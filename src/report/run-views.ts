import { percent, percentTick } from '../core/numbers.js';
import type { Point } from '../core/points.js';
import { lineChart } from './chart.js';
import { escapeHtml } from './html.js';
import type { ReportData } from './run-data.js';

/** Pairs of views as training draws them: what the encoder is asked to call alike. */
export function reportViews({ views }: ReportData): string {
  if (!views || views.length === 0) return '';
  const shown = views.map(({ first, second, label }) => {
    const alt = (which: string) => escapeHtml(`${which} view${label === undefined ? '' : `: ${label}`}`);
    const image = (src: string, which: string) =>
      `<img src="${src.startsWith('data:image/') ? escapeHtml(src) : 'data:,'}" alt="${alt(which)}" width="64" ` +
      `height="64">`;
    return `<figure>${image(first, 'first')}${image(second, 'second')}</figure>`;
  });
  return (
    '<section><h2>Views</h2><p class="muted">Pairs of random views of the same picture, ' +
    'as the first epoch draws them. ' +
    `The encoder learns to tell that they belong together.</p><div class="card gallery ` +
    `views">${shown.join('')}</div></section>`
  );
}

const BINS = 40;

/** How similar the encoder's outputs are: views of the same picture against views of different ones. */
export function similarityChart({ similarity }: ReportData): string {
  if (!similarity) return '';
  const { positive, negative } = similarity;
  let [lo, hi] = [1, -1];
  for (const v of [...positive, ...negative]) if (Number.isFinite(v)) [lo, hi] = [Math.min(lo, v), Math.max(hi, v)];
  if (hi < lo) lo = hi; // nothing is finite
  const width = (hi - lo) / BINS || 1;
  const shares = (values: readonly number[]): Point[] => {
    if (!values.some(Number.isFinite)) return [];
    const counts = new Array<number>(BINS).fill(0);
    for (const v of values)
      if (Number.isFinite(v)) counts[Math.min(BINS - 1, Math.max(0, Math.floor((v - lo) / width)))]++;
    return counts.map((n, i) => [Number((lo + (i + 0.5) * width).toFixed(3)), n / Math.max(1, values.length)] as const);
  };
  return lineChart({
    title: 'Similarity of views',
    xName: 'cosine',
    show: percent,
    tick: percentTick,
    from: 0,
    series: [
      { name: 'same picture', points: shares(positive), tone: 3, filled: true },
      { name: 'different pictures', points: shares(negative), tone: 2, filled: true },
    ],
  });
}
