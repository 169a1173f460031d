import type { Ceiling } from '../src/backend/ceiling.js';
import type { Timing } from './measure.js';
import type { Goal } from './record.js';

/** How many times as fast as a peer dawngrad is: of the medians, and of the quartiles that lie closest and farthest. */
export interface Ratio {
  ratio: number;
  low: number;
  high: number;
  /** The peer's. */
  samples: number;
}

/** One measured case. */
export interface Row extends Timing {
  op: string;
  label: string;
  /** GFLOP/s or GB/s, and what per cent of the adapter's ceiling that is. */
  rate?: number;
  unit?: 'GFLOP/s' | 'GB/s';
  percent?: number;
  per?: { name: string; ms: number };
  tfjs?: Ratio;
  jax?: Ratio;
  /** Why a peer is missing, or disagrees. */
  notes: string[];
  goal: Goal;
}

export interface Report {
  date: string;
  adapter: string;
  timed: 'device timestamps' | 'wall clock';
  versions: Record<string, string>;
  /** What was measured, and in how many processes one after the other. */
  commits: string[];
  pieces: number;
  ceiling: Ceiling;
  rows: Row[];
  leftOut: string[];
  failed: string[];
  /** Paragraphs that are no rows: sizes of bundles, time to the first step. */
  facts: string[];
}

const number = (v: number): string => (v >= 100 ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v.toPrecision(2));
const times = (v: number): string => `${number(v)}×`;
/** With its spread; marked where one sample is all there is. */
const ratioCell = (r?: Ratio): string =>
  r === undefined
    ? '–'
    : r.samples === 1
      ? `≈ ${times(r.ratio)}`
      : `${times(r.ratio)} (${number(r.low)}–${number(r.high)})`;

/** How many times as fast as `theirs` `mine` is. */
export const compare = (mine: Timing, theirs: Timing): Ratio => ({
  ratio: theirs.ms / mine.ms,
  low: theirs.low / mine.high,
  high: theirs.high / mine.low,
  samples: theirs.samples,
});

/** Where a row falls short of its goal. */
export function shortfall({ goal, tfjs, jax }: Row): string[] {
  const missed: string[] = [];
  const check = (name: string, got: number | undefined, least: number | undefined) => {
    if (got !== undefined && least !== undefined && got < least)
      missed.push(`${times(got)} of ${name}, goal ${least}×`);
  };
  check('tfjs', tfjs?.ratio, goal.tfjs);
  check('jax-js', jax?.ratio, goal.jax);
  check('the faster peer', Math.min(tfjs?.ratio ?? Infinity, jax?.ratio ?? Infinity), Math.max(1, goal.faster ?? 1));
  return missed;
}

/** The report as Markdown, a table an operation. */
export function markdown(r: Report): string {
  const versions = Object.entries(r.versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
  const out = [
    `# Bench, ${r.date}`,
    '',
    `${r.adapter}; ${versions}. Commit ${r.commits.join(', then ')}. Timed by ${r.timed}. ` +
      `Ceiling of this adapter: ${number(r.ceiling.flops / 1e9)} GFLOP/s, ${number(r.ceiling.bytes / 1e9)} GB/s.`,
    'A ratio says how many times as fast as that library dawngrad is, on the same adapter in the same run, ' +
      'by medians (by quartiles);',
    "≈: by one sample. ± is half the distance of the quartiles of dawngrad's samples; " +
      'their number is given for dawngrad, tfjs and jax-js.',
  ];
  if (r.pieces > 1)
    out.push(
      '',
      `Measured in ${r.pieces} pieces, one process after the other; ` +
        `what is compared was measured in the same one. The ceiling is the highest of theirs.`,
    );
  const notes: string[] = [];
  for (const op of new Set(r.rows.map((row) => row.op))) {
    out.push(
      '',
      `## ${op}`,
      '',
      '| case | ms | ± | rate | of ceiling | tfjs | jax-js | samples | |',
      '|---|--:|--:|--:|--:|--:|--:|--:|---|',
    );
    for (const row of r.rows.filter((x) => x.op === op)) out.push(`| ${cells(row, notes).join(' | ')} |`);
  }
  if (notes.length) out.push('', ...notes.map((n, i) => `${i + 1}. ${n}`));
  if (r.facts.length) out.push('', '## Besides', '', ...r.facts.map((f) => `- ${f}`));
  const below = r.rows.flatMap((row) => shortfall(row).map((s) => `- ${row.op}, ${row.label}: ${s}`));
  out.push('', '## Below the goal', '', ...(below.length ? below : ['Nothing.']));
  if (r.leftOut.length) out.push('', '## Left out', '', ...r.leftOut.map((l) => `- ${l}`));
  if (r.failed.length) out.push('', '## Failed', '', ...r.failed.map((l) => `- ${l}`));
  return `${out.join('\n')}\n`;
}

function cells(row: Row, notes: string[]): string[] {
  const marks = row.notes.map((note) => {
    if (!notes.includes(note)) notes.push(note);
    return notes.indexOf(note) + 1;
  });
  const time = row.per ? `${number(row.per.ms)} a ${row.per.name}` : number(row.ms);
  const rate = row.rate === undefined ? '–' : `${number(row.rate)} ${row.unit}`;
  const state = shortfall(row).length ? 'below' : '';
  return [
    row.label,
    time,
    `${((50 * (row.high - row.low)) / row.ms).toFixed(0)} %`,
    rate,
    row.percent === undefined ? '–' : `${row.percent.toFixed(0)} %`,
    ratioCell(row.tfjs),
    ratioCell(row.jax),
    [row, row.tfjs, row.jax].map((t) => t?.samples ?? '–').join(' '),
    [state, marks.map((m) => `(${m})`).join(' ')].join(' ').trim(),
  ];
}
