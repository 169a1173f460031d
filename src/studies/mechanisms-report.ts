import { fixed, meanPercent, percent, percentTick } from '../core/numbers.js';
import { mean } from '../core/statistics.js';
import { lineChart } from '../report/chart.js';
import { reportGrid } from '../report/grid.js';
import { escapeHtml } from '../report/html.js';
import { reportPage } from '../report/run-page.js';
import { reportSettings } from '../report/tables.js';
import { textGrid } from '../report/text-grid.js';
import type { Made } from './four-way-report.js';
import { type Measured, type Mechanisms, mechanismNames } from './mechanisms.js';

/** The runs by `read`, in order of their first. */
function grouped<T>(runs: readonly Measured[], read: (r: Measured) => T): [T, Measured[]][] {
  return [...new Set(runs.map(read))].map((value) => [value, runs.filter((r) => read(r) === value)]);
}

/** k-NN, but for trainings that diverged: nothing is averaged around them. */
const accuracy = (runs: readonly Measured[]): string =>
  runs.some((r) => r.diverged) ? 'diverged' : meanPercent(runs.map((r) => r.knn));
const loss = (runs: readonly Measured[]): string =>
  `${fixed(mean(runs.map((r) => r.loss)))} (${fixed(runs[0].chance)})`;

/** Which trainings diverged, and why, a sentence each. */
const divergences = ({ overK: byK, overM: byM }: Mechanisms): string[] =>
  [...byK, ...byM].flatMap(({ mechanism, K, m, seed, diverged }) =>
    diverged ? [`${mechanism}, K = ${K}, m = ${m}, seed ${seed}: ${diverged}`] : [],
  );

const overK = ({ overK: runs }: Mechanisms): string[][] => [
  ['K', ...mechanismNames],
  ...grouped(runs, (r) => r.K).map(([K, same]) => [
    String(K),
    ...mechanismNames.map((name) => accuracy(same.filter((r) => r.mechanism === name))),
  ]),
];

const overM = ({ overM: runs }: Mechanisms): string[][] => [
  ['m', 'k-NN', 'loss (chance)'],
  ...grouped(runs, (r) => r.m).map(([m, same]) => [String(m), accuracy(same), loss(same)]),
];

/** The outcome for a terminal. */
export function mechanismsText(result: Mechanisms): string {
  return [
    `Weighted k-NN on held-out pictures (encoder as initialised: ${percent(result.random)}), over K:`,
    textGrid(overK(result)),
    `MoCo over its momentum m (K = ${result.overM[0]?.K}):`,
    textGrid(overM(result)),
    ...divergences(result),
  ].join('\n');
}

/** The report as one HTML file. */
export function mechanismsReport(result: Mechanisms, made: Made & { pictures: string }): string {
  const note =
    'Weighted k-NN accuracy on held-out pictures; with several seeds, mean ± standard deviation. ' +
    'The end-to-end mechanism has as many keys as its batch has pictures, so it ends early.';
  const atOnce =
    `K = ${result.overM[0]?.K}. With m = 0 the key encoder follows at once, ` +
    `and keys of different steps need not agree with each other.`;
  const [[headK, ...rowsK], [headM, ...rowsM]] = [overK(result), overM(result)];
  return reportPage({ title: 'Three mechanisms over K, and the momentum', ...made }, [
    `<section aria-label="Charts"><h2>Accuracy</h2><p class="muted">${escapeHtml(made.pictures)}</p><div ` +
      `class="charts">${chartK(result)}${chartM(result)}</div></section>`,
    reportGrid('Over K', note, headK, rowsK),
    reportGrid('MoCo over m', atOnce, headM, rowsM),
    reportSettings({ ...made, notes: divergences(result) }),
  ]);
}

function chartK(result: Mechanisms): string {
  const Ks = [...new Set(result.overK.map((r) => r.K))].sort((a, b) => a - b);
  const series = mechanismNames.map((name, i) => {
    const runs = result.overK.filter((r) => r.mechanism === name);
    return {
      name,
      points: grouped(runs, (r) => r.K).map(([K, same]) => [Ks.indexOf(K), mean(same.map((r) => r.knn))] as const),
      tone: i + 1,
      dots: true,
    };
  });
  return lineChart({
    title: 'k-NN accuracy over K',
    xName: 'K, keys a query chooses from',
    places: Ks.map(String),
    show: percent,
    tick: percentTick,
    series,
    guides: [{ name: 'untrained', value: result.random }],
  });
}

function chartM(result: Mechanisms): string {
  const groups = grouped(result.overM, (r) => r.m);
  const points = groups.map(([, same], i) => [i, mean(same.map((r) => r.knn))] as const);
  return lineChart({
    title: 'k-NN accuracy of MoCo over m',
    xName: 'm',
    places: groups.map(([m]) => String(m)),
    show: percent,
    tick: percentTick,
    series: [{ name: 'MoCo', points, tone: 3, dots: true }],
    guides: [{ name: 'untrained', value: result.random }],
  });
}
