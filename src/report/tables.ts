import { duration, percent, plain, whole } from '../core/numbers.js';
import { mean } from '../core/statistics.js';
import { lastMean } from '../io/step-log.js';
import { escapeHtml } from './html.js';
import type { ReportData } from './run-data.js';

/** The run at a glance: a sentence and a row of figures. */
export function reportSummary(data: ReportData): string {
  const last = data.steps[data.steps.length - 1];
  const paces = data.steps.slice(-10).flatMap((s) => s.picturesPerSecond ?? []); // the first step has none
  const tiles = [
    tile(
      'k-NN accuracy',
      percent(data.baselines.trained ?? data.knn[data.knn.length - 1]?.accuracy),
      `raw pixels ${percent(data.baselines.rawPixels)}`,
    ),
    tile('Loss', plain(lastMean(data.steps, (s) => s.loss)), `chance ${plain(data.chanceLoss)}`),
    tile(
      'Contrast top 1',
      percent(lastMean(data.steps, (s) => s.contrastTop1)),
      `of ${whole(data.queueSize + 1)} keys`,
    ),
    tile('Steps', whole(last?.step), `${whole(last?.epoch)} epochs`),
    ...(data.memory
      ? [tile('Memory of a step', mebibytes(data.memory.planned), `${mebibytes(data.memory.live)} alive at most`)]
      : []),
    tile('Time', duration(data.elapsedSeconds), `${whole(mean(paces))} pictures/s`),
  ];
  return `<div class="tiles">${tiles.join('')}</div>`;
}

const mebibytes = (bytes: number): string => `${whole(bytes / 2 ** 20)} MiB`;

const tile = (name: string, value: string, note: string): string =>
  `<div class="card ` +
  `tile"><span>${escapeHtml(name)}</span><strong>${escapeHtml(value)}</strong><span>${escapeHtml(note)}</span></div>`;

/** k-NN accuracies side by side, each with a bar. */
export function reportKnn({ baselines: b, knn, published }: ReportData): string {
  const rows = [
    ['trained encoder', b.trained],
    ['outputs of its head', knn.at(-1)?.outputs],
    ['random encoder', b.randomEncoder],
    ['raw pixels', b.rawPixels],
    ['chance', b.chance],
  ] as const;
  const shown = rows.flatMap(([name, value]) =>
    !Number.isFinite(value)
      ? []
      : [
          `<tr><th scope="row">${name}</th><td class="number">${percent(value)}</td>` +
            `<td class="bar"><i style="width:${clamp(value!)}%"></i></td></tr>`,
        ],
  );
  if (shown.length === 0) return '';
  return (
    '<section><h2>k-NN evaluation</h2><p class="muted">Share of held-out pictures whose class is guessed ' +
    'right from their ' +
    `k = ${escapeHtml(b.k)} nearest training pictures, weighted by exp(cosine / ` +
    `${escapeHtml(plain(b.T))}).</p>${besidePublished(published)}<div class="card"><table class="knn"><thead><tr>` +
    `<th scope="col">features</th><th scope="col" ` +
    `class="number">accuracy</th><td></td></tr></thead><tbody>${shown.join('')}</tbody></table></div></section>`
  );
}

/** What compares with a published curve, and what does not. */
function besidePublished(published: ReportData['published']): string {
  if (!published) return '';
  const own = published.by === 'outputs' ? 'outputs of the head' : 'features';
  const differs =
    published.differences.length === 0
      ? 'It was measured as this run is.'
      : `It differs: ${published.differences.join('; ')}.`;
  return (
    `<p class="muted">The curve of ${escapeHtml(published.name)} is to be set beside that of the ${own}. ` +
    `${escapeHtml(differs)}</p>`
  );
}

const clamp = (share: number): string => (100 * Math.min(1, Math.max(0, share))).toFixed(1);

/** How the run was made: command, adapter, seed, the resolved configuration, notes. */
export function reportSettings(
  data: Pick<ReportData, 'adapter' | 'products' | 'version' | 'seed' | 'notes' | 'command' | 'config' | 'memory'>,
): string {
  const memory = data.memory
    ? [['device memory', `${mebibytes(data.memory.peak)} at most, pictures and state included`]]
    : [];
  const products = data.products === undefined ? [] : [['products of matrices', data.products]];
  const facts = [['adapter', data.adapter], ...products, ['dawngrad', data.version], ['seed', data.seed], ...memory];
  const notes =
    data.notes.length > 0
      ? `<h2>Notes</h2><ul>${data.notes.map((n) => `<li>${escapeHtml(n)}</li>`).join('')}</ul>`
      : '';
  return (
    `<section>${notes}<h2>How it was made</h2><pre class="card"><code>${escapeHtml(data.command)}</code></pre>` +
    `<table class="facts">${facts.map(([k, v]) => row(String(k), escapeHtml(v))).join('')}</table>` +
    '<details><summary>Configuration</summary><table class="facts">' +
    `${flatten(data.config)
      .map(([k, v]) => row(k, `<code>${escapeHtml(v)}</code>`))
      .join('')}</table></details></section>`
  );
}

const row = (name: string, value: string): string =>
  `<tr><th scope="row">${escapeHtml(name)}</th><td>${value}</td></tr>`;

/** `{a: {b: 1}}` as `a.b = 1`; lists stay whole. */
function flatten(config: Record<string, unknown>, prefix = ''): [string, string][] {
  return Object.entries(config).flatMap(([key, value]): [string, string][] =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? flatten(value as Record<string, unknown>, `${prefix}${key}.`)
      : [[prefix + key, JSON.stringify(value) ?? 'not set']],
  );
}
