import { type Point, thin } from '../core/points.js';
import { escapeHtml } from './html.js';
import { ticks } from './ticks.js';

/** A line of a chart. `tone` 1..4 picks a colour of the style sheet; a pale line is a backdrop without a legend. */
export interface Series {
  name: string;
  points: readonly Point[];
  tone: number;
  pale?: boolean;
  /** Mark each point. */
  dots?: boolean;
  /** Of something to compare with. */
  dashed?: boolean;
  /** Down to the axis. */
  filled?: boolean;
}

/** What a line chart shows. */
export interface Chart {
  title: string;
  xName: string;
  /** Names of x = 0, 1, 2, … where x counts places and is no number. */
  places?: readonly string[];
  series: Series[];
  /** Dashed level lines, labelled at the right. */
  guides?: { name: string; value: number }[];
  /** How values are printed, and how the numbers of the y axis are if differently. */
  show: (y: number) => string;
  tick?: (y: number) => string;
  /** Where the y axis begins and ends; by default it is fitted to the data. */
  from?: number;
  to?: number;
}

interface Frame {
  left: number;
  right: number;
  xs: number[];
  ys: number[];
  x: (v: number) => number;
  y: (v: number) => number;
}

const [WIDTH, HEIGHT, TOP, BOTTOM] = [560, 250, 14, 212];
const LINE = 15; // px between labels
const LETTER = 6.6; // px, the mean width of a letter
const STRIPS = 60;

/**
 * A line chart as an SVG picture with its own text alternative; values appear on hovering. What is not finite is left
 * out.
 */
export function lineChart(all: Chart): string {
  const chart = { ...all, guides: all.guides?.filter((g) => Number.isFinite(g.value)) };
  const series = chart.series.map((s) => ({ ...s, points: thin(s.points) }));
  const label = describe(chart, series);
  if (series.every((s) => s.points.length === 0)) return figure(chart, [], `<p class="none">Nothing was measured.</p>`);
  const frame = frameOf(chart, series);
  const body = [
    axes(chart, frame),
    ...series.map((s) => line(s, frame)),
    guides(chart, frame),
    strips(chart, series, frame),
  ];
  return figure(
    chart,
    series,
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(label)}">${body.join('')}</svg>`,
  );
}

function figure(chart: Chart, series: Series[], body: string): string {
  const named = series.filter((s) => !s.pale);
  const legend = named.map((s) => `<span class="key tone${s.tone}">${escapeHtml(s.name)}</span>`).join('');
  return (
    `<figure class="card"><figcaption>${escapeHtml(chart.title)}<span ` +
    `class="keys">${named.length > 1 ? legend : ''}</span></figcaption>${body}</figure>`
  );
}

function frameOf(chart: Chart, series: Series[]): Frame {
  const points = series.flatMap((s) => s.points);
  const values = [...points.map((p) => p[1]), ...(chart.guides ?? []).map((g) => g.value)];
  const ys = ticks(chart.from ?? least(values), chart.to ?? -least(values.map((v) => -v)), 4);
  const [first, last] = [least(points.map((p) => p[0])), -least(points.map((p) => -p[0]))];
  const counted = points.every(([x]) => Number.isInteger(x)); // epochs, steps: no marks between them
  const xs = (chart.places?.map((_, i) => i) ?? ticks(first, last, 6)).filter(
    (t) => t >= first && t <= last && (!counted || Number.isInteger(t)),
  );
  const [left, right] = [52, WIDTH - margin(chart)];
  const scale = (lo: number, hi: number, a: number, b: number) => (v: number) =>
    a + ((v - lo) / (hi - lo || 1)) * (b - a);
  return { left, right, xs, ys, x: scale(first, last, left, right), y: scale(ys[0], ys[ys.length - 1], BOTTOM, TOP) };
}

/** Room at the right for the labels of the guides. */
const margin = (chart: Chart): number =>
  Math.max(16, ...(chart.guides ?? []).map((g) => 22 + LETTER * guideLabel(chart, g).length));

const guideLabel = (chart: Chart, g: { name: string; value: number }): string => `${g.name} ${chart.show(g.value)}`;

const nameOf = (chart: Chart, x: number): string => chart.places?.[x] ?? String(x);

const least = (values: number[]): number => values.reduce((a, b) => Math.min(a, b), Infinity);
const at = (v: number): string => String(Math.round(v * 10) / 10);

function axes(chart: Chart, { left, right, xs, ys, x, y }: Frame): string {
  const rows = ys.map(
    (v) =>
      `<path class="grid" d="M${left} ${at(y(v))}H${right}"/><text class="end" x="${left - 8}" ` +
      `y="${at(y(v) + 4)}">${escapeHtml((chart.tick ?? chart.show)(v))}</text>`,
  );
  const columns = xs.map(
    (v) => `<text class="mid" x="${at(x(v))}" y="${BOTTOM + 18}">${escapeHtml(nameOf(chart, v))}</text>`,
  );
  return (
    `${rows.join('')}${columns.join('')}<text class="mid name" x="${(left + right) / 2}" ` +
    `y="${HEIGHT - 4}">${escapeHtml(chart.xName)}</text>`
  );
}

function line({ points, tone, pale, dots, dashed, filled }: Series, { x, y }: Frame): string {
  const marks = points
    .map(([px, py]) => `<circle class="dot tone${tone}" cx="${at(x(px))}" cy="${at(y(py))}" r="4"/>`)
    .join('');
  if (points.length < 2) return marks;
  const path = points.map(([px, py]) => `${at(x(px))} ${at(y(py))}`).join('L');
  const area = filled
    ? `<path class="area tone${tone}" d="M${at(x(points[0][0]))} ` +
      `${BOTTOM}L${path}L${at(x(points[points.length - 1][0]))} ${BOTTOM}Z"/>`
    : '';
  return (
    `${area}<path class="line tone${tone}${pale ? ' pale' : ''}${dashed ? ' dashed' : ''}" ` +
    `d="M${path}"/>${dots ? marks : ''}`
  );
}

/** Level lines; their labels are pushed apart where levels are close. */
function guides(chart: Chart, { left, right, y }: Frame): string {
  const sorted = [...(chart.guides ?? [])].sort((a, b) => b.value - a.value);
  const spots = sorted.map((g) => y(g.value) + 4);
  for (let i = 1; i < spots.length; i++) spots[i] = Math.max(spots[i], spots[i - 1] + LINE);
  const over = Math.max(0, (spots[spots.length - 1] ?? 0) - BOTTOM - 4);
  for (let i = spots.length - 1, top = Infinity; i >= 0; i--)
    top = (spots[i] = Math.min(spots[i] - (i === spots.length - 1 ? over : 0), top)) - LINE;
  return sorted
    .map(
      (g, i) =>
        `<path class="guide" d="M${left} ${at(y(g.value))}H${right}L${right + 8} ${at(spots[i] - 4)}"/>` +
        `<text x="${right + 12}" y="${at(spots[i])}">${escapeHtml(guideLabel(chart, g))}</text>`,
    )
    .join('');
}

/** Invisible columns that show the values under the pointer, without a script. */
function strips(chart: Chart, series: Series[], { left, right, x }: Frame): string {
  const lead = series.reduce((a, b) => (b.points.length > a.points.length ? b : a)).points;
  const marks = lead.filter((_, i) => i % Math.ceil(lead.length / STRIPS) === 0);
  const edges = marks.map((p, i) => (i === 0 ? left : (x(p[0]) + x(marks[i - 1][0])) / 2));
  return marks
    .map(([px], i) => {
      const shown = series.filter(
        (s) => (!s.pale || series.length === 1) && (!chart.places || s.points.some((p) => p[0] === px)),
      );
      const values = shown.map((s) => `${s.name} ${chart.show(nearest(s.points, px))}`);
      const title = escapeHtml([`${chart.xName} ${nameOf(chart, px)}`, ...values].join('\n'));
      const width = (edges[i + 1] ?? right) - edges[i];
      return (
        `<rect class="strip" x="${at(edges[i])}" y="${TOP}" width="${at(width)}" ` +
        `height="${BOTTOM - TOP}"><title>${title}</title></rect>`
      );
    })
    .join('');
}

const nearest = (points: readonly Point[], x: number): number =>
  points.reduce((a, b) => (Math.abs(b[0] - x) < Math.abs(a[0] - x) ? b : a), [Infinity, NaN] as Point)[1];

/** The chart in words. */
function describe(chart: Chart, series: Series[]): string {
  const lines = series
    .filter((s) => !s.pale && s.points.length > 0)
    .map((s) => `${s.name} from ${chart.show(s.points[0][1])} to ${chart.show(s.points[s.points.length - 1][1])}`);
  const levels = (chart.guides ?? []).map((g) => `${g.name} at ${chart.show(g.value)}`);
  return `${chart.title}, by ${chart.xName}: ${[...lines, ...levels].join('; ')}.`;
}
