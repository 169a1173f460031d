import type { Ceiling } from '../src/backend/ceiling.js';
import type { Goal } from './record.js';

/** One measured case. Ratios say how many times as fast as the peer dawngrad is. */
export interface Row {
  op: string;
  label: string;
  ms: number;
  samples: number;
  /** GFLOP/s or GB/s, and what per cent of the adapter's ceiling that is. */
  rate?: number;
  unit?: 'GFLOP/s' | 'GB/s';
  percent?: number;
  per?: { name: string; ms: number };
  tfjs?: number;
  jax?: number;
  /** Why a peer is missing, or disagrees. */
  notes: string[];
  goal: Goal;
}

export interface Report {
  date: string;
  adapter: string;
  timed: 'device timestamps' | 'wall clock';
  versions: Record<string, string>;
  ceiling: Ceiling;
  rows: Row[];
  leftOut: string[];
  failed: string[];
  /** Paragraphs that are no rows: sizes of bundles, time to the first step. */
  facts: string[];
}

const number = (v: number): string => (v >= 100 ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v.toPrecision(2));
const ratio = (v?: number): string => (v === undefined ? '–' : `${number(v)}×`);

/** Where a row falls short of its goal. */
export function shortfall({ goal, tfjs, jax }: Row): string[] {
  const missed: string[] = [];
  const check = (name: string, got: number | undefined, least: number | undefined) => {
    if (got !== undefined && least !== undefined && got < least) missed.push(`${ratio(got)} of ${name}, goal ${least}×`);
  };
  check('tfjs', tfjs, goal.tfjs);
  check('jax-js', jax, goal.jax);
  check('the faster peer', Math.min(tfjs ?? Infinity, jax ?? Infinity), Math.max(1, goal.faster ?? 1));
  return missed;
}

/** The report as Markdown, a table an operation. */
export function markdown(r: Report): string {
  const versions = Object.entries(r.versions).map(([name, version]) => `${name} ${version}`).join(', ');
  const out = [
    `# Bench, ${r.date}`,
    '',
    `${r.adapter}; ${versions}. Timed by ${r.timed}. Ceiling of this adapter: ${number(r.ceiling.flops / 1e9)} GFLOP/s, ${number(r.ceiling.bytes / 1e9)} GB/s.`,
    'A ratio says how many times as fast as that library dawngrad is, on the same adapter in the same run.',
  ];
  const notes: string[] = [];
  for (const op of new Set(r.rows.map((row) => row.op))) {
    out.push('', `## ${op}`, '', '| case | ms | rate | of ceiling | tfjs | jax-js | |', '|---|--:|--:|--:|--:|--:|---|');
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
  return [row.label, time, rate, row.percent === undefined ? '–' : `${row.percent.toFixed(0)} %`, ratio(row.tfjs), ratio(row.jax), [state, marks.map((m) => `(${m})`).join(' ')].join(' ').trim()];
}
