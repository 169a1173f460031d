import { percent, percentTick, plain, whole } from '../core/numbers.js';
import { type Point, runningMean } from '../core/points.js';
import { type Curve, type CurveName, curveOf, lastMean, type ReportStep } from '../io/step-log.js';
import { lineChart, type Series } from './chart.js';
import { escapeHtml } from './html.js';
import { page } from './html-page.js';

/** A run as it is set beside others. */
export interface ComparedRun {
  name: string;
  /** Everything that may differ; `batch` is needed. */
  config: Record<string, unknown> & { batch: number };
  steps: readonly ReportStep[];
  knn: readonly { epoch: number; accuracy: number }[];
}

const TONES = 8; // colours of the style sheet

/** What differs between runs, and what they reached: a head with their names, then a row for each. */
export function comparisonTable(runs: readonly ComparedRun[]): string[][] {
  const keys = [...new Set(runs.flatMap((r) => Object.keys(r.config)))];
  const shown = (r: ComparedRun, key: string) =>
    typeof r.config[key] === 'string' ? r.config[key] : (JSON.stringify(r.config[key]) ?? '–');
  const differing = keys
    .map((key) => [key, ...runs.map((r) => shown(r, key))])
    .filter(([, ...values]) => new Set(values).size > 1);
  const reached: [string, (r: ComparedRun) => string][] = [
    ['steps', (r) => whole(r.steps.at(-1)?.step)],
    ['loss', (r) => plain(lastMean(r.steps, (s) => s.loss))],
    ['contrast top 1', (r) => percent(lastMean(r.steps, (s) => s.contrastTop1))],
    ['k-NN', (r) => percent(r.knn.at(-1)?.accuracy)],
    ['pictures/s', (r) => whole(median(curveOf(r.steps, 'picturesPerSecond')))],
  ];
  return [['', ...runs.map((r) => r.name)], ...differing, ...reached.map(([name, read]) => [name, ...runs.map(read)])];
}

/** The median of a curve's points, each by its weight. */
function median({ points, weights }: Curve): number | undefined {
  const order = [...points.keys()].sort((i, j) => points[i][1] - points[j][1]);
  let left = Math.floor(weights.reduce((a, b) => a + b, 0) / 2);
  const middle = order.find((i) => (left -= weights[i]) < 0);
  return middle === undefined ? undefined : points[middle][1];
}

/** The curves of runs over each other, under the table, as one HTML file. */
export function renderComparison(runs: readonly ComparedRun[]): string {
  const [head, ...rows] = comparisonTable(runs).map((row) => row.map(escapeHtml));
  const cells = rows.map(
    ([name, ...values]) => `<tr><th scope="row">${name}</th>${values.map((v) => `<td>${v}</td>`).join('')}</tr>`,
  );
  const names = head.map((name) => `<th scope="col">${name}</th>`).join('');
  const table =
    `<div class="card wide"><table ` +
    `class="rows"><thead><tr>${names}</tr></thead><tbody>${cells.join('')}</tbody></table></div>`;
  return page({
    title: `${runs.length} runs`,
    about: 'What differs, what was reached, and the curves.',
    sections: [
      `<section><h2>Differences and results</h2>${table}</section>`,
      `<section aria-label="Charts"><h2>Curves</h2><div class="charts">${charts(runs).join('')}</div></section>`,
    ],
  });
}

function charts(runs: readonly ComparedRun[]): string[] {
  const each = (points: (r: ComparedRun) => Point[]): Series[] =>
    runs.map((r, i) => ({ name: r.name, points: points(r), tone: 1 + (i % TONES) }));
  const curve = ({ steps, config }: ComparedRun, name: CurveName) => curveOf(steps, name, (s) => s.step * config.batch);
  const seen = (name: CurveName) => each((r) => smooth(curve(r, name)));
  return [
    lineChart({ title: 'Contrastive loss', xName: 'pictures seen', show: plain, series: seen('loss') }),
    lineChart({
      title: 'Contrast accuracy',
      xName: 'pictures seen',
      show: percent,
      tick: percentTick,
      from: 0,
      series: seen('contrastTop1'),
    }),
    lineChart({
      title: 'k-NN accuracy',
      xName: 'epoch',
      show: percent,
      tick: percentTick,
      from: 0,
      series: each((r) => r.knn.map((k) => [k.epoch, k.accuracy] as const)),
    }),
    lineChart({
      title: 'Learning rate',
      xName: 'pictures seen',
      show: plain,
      from: 0,
      series: each((r) => curve(r, 'lr').points),
    }),
  ];
}

const smooth = ({ points, weights }: Curve): Point[] => runningMean(points, Math.floor(points.length / 80), weights);
