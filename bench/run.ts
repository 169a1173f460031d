import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Ceiling, measureCeiling } from '../src/backend/ceiling.js';
import { provideGpu } from './adapter.js';
import { bundleSizes } from './bundle.js';
import { measureCard } from './card.js';
import { checkMirror, differs } from './check.js';
import { withChecks } from './checked.js';
import { measureData } from './data.js';
import { timeToFirstStep } from './first-step.js';
import { type Library, openOurs, openPeers } from './libraries.js';
import { type Contestant, measure } from './measure.js';
import { modelReport } from './model.js';
import { pytorch } from './pytorch.js';
import type { Bench, Case } from './record.js';
import { benches } from './records/index.js';
import { measureReplay } from './replay.js';
import { commitOf, earlier, merge, save } from './save.js';
import { measureScale } from './scale.js';
import { compare, markdown, type Report, type Row, shortfall } from './table.js';
import { measureVariants } from './variants.js';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'));

/** A case that would take dawngrad longer than this a run is left out: a peer may take ten times as long. */
const LONGEST_S = 1;
/** A kernel reaches about this part of the ceiling, for estimates. */
const USUAL = 0.3;

export interface Options {
  /** Parts of an operation's or of a case's name; none: all. */
  only: string[];
  /** Sizes for a GPU, and nothing left out. */
  full: boolean;
  peers: boolean;
  /** With bounds checks in every library's shaders, as in browsers. */
  robust: boolean;
  /** File to write to, without ending. What it holds of the same day, adapter and versions stays. */
  save?: string;
  /** Also runs bench/pytorch.py, and tells what it measured. */
  pytorch: boolean;
  /** Prints the report as JSON, for the process that started this one. */
  json: boolean;
}

async function main(options: Options): Promise<void> {
  provideGpu(options.robust);
  const ours = await openOurs(read('package.json').version);
  const { software } = ours.backend.gpu;
  const { peers, failed } = options.peers ? await openPeers(join(root, 'bench/peers')) : { peers: [], failed: {} };
  const ceiling = await measureCeiling(ours.backend);
  const report: Report = {
    date: new Date().toISOString().slice(0, 10),
    adapter: ours.backend.name,
    timed: [ours, ...peers].every((l) => l.device.features.has('timestamp-query')) ? 'device timestamps' : 'wall clock',
    versions: {
      dawngrad: ours.version,
      ...Object.fromEntries(peers.map((p) => [p.name, p.version])),
      webgpu: read('node_modules/webgpu/package.json').version,
      node: process.version.slice(1),
    },
    ceiling,
    commits: [commitOf(root)],
    pieces: 1,
    rows: [],
    leftOut: [],
    failed: Object.entries(failed).map(([name, why]) => `${name}: ${why}`),
    facts: [],
  };
  const before = options.save ? earlier(options.save, report) : undefined;
  const keep = (): void => void (options.save && save(options.save, before ? merge(before, report) : report));
  const full = options.full || !software;
  for (const { bench, cases } of chosen(options.only, full)) {
    if (!full && bench.leavesOut) report.leftOut.push(`${bench.name}: ${bench.leavesOut}; --full has them`);
    for (const sized of cases) {
      const c = options.robust ? { ...sized, label: `${sized.label}, bounds checks` } : sized;
      const seconds = estimate(c, ceiling);
      if (!options.full && seconds > (c.per ? 20 : LONGEST_S))
        report.leftOut.push(
          `${bench.name}, ${c.label}: about ${seconds.toFixed(0)} s a run on this adapter; --full runs it`,
        );
      else if (c.checked && !options.robust && peers.length) await elsewhere(bench, c, full, report);
      else await oneCase(bench, c, ours, peers, report, c.per ? 1500 : software ? 200 : 1000);
      keep();
    }
  }
  if (options.only.length === 0)
    for (const facts of [bundleSizes, timeToFirstStep])
      await facts(root).then(
        (f) => report.facts.push(...f),
        (e) => report.failed.push(`${facts.name}: ${e.message}`),
      );
  if (options.pytorch) report.facts.push(...(await pytorch(root)));
  keep();
  await new Promise((written) =>
    process.stdout.write(options.json ? JSON.stringify(report) : `\n${markdown(report)}`, written),
  );
}

function chosen(only: string[], full: boolean): { bench: Bench; cases: Case[] }[] {
  const all = benches.map((bench) => ({ bench, cases: bench.cases(full) }));
  const named = (part: string, bench: Bench, c: Case) => `${bench.name}, ${c.label}`.includes(part);
  const unknown = only.filter((part) => !all.some(({ bench, cases }) => cases.some((c) => named(part, bench, c))));
  if (unknown.length)
    throw new Error(`bench: operations are ${benches.map((b) => b.name).join(', ')}; got ${unknown.join(', ')}.`);
  const wanted = (bench: Bench, c: Case) => only.length === 0 || only.some((part) => named(part, bench, c));
  return all
    .map(({ bench, cases }) => ({ bench, cases: cases.filter((c) => wanted(bench, c)) }))
    .filter(({ cases }) => cases.length);
}

const estimate = (c: Case, ceiling: Ceiling): number =>
  Math.max((c.flops ?? 0) / ceiling.flops, (c.bytes ?? 0) / ceiling.bytes) / USUAL;

/** Takes a case's row from a process of its own. */
async function elsewhere(bench: Bench, c: Case, full: boolean, report: Report): Promise<void> {
  try {
    const { rows, failed } = await withChecks(`${bench.name}, ${c.label}`, full);
    report.rows.push(...rows);
    report.failed.push(...failed);
  } catch (e) {
    report.failed.push(`${bench.name}, ${c.label}: ${(e as Error).message}`);
  }
}

/** Checks and measures a case into a row of the report. */
async function oneCase(
  bench: Bench,
  c: Case,
  ours: Awaited<ReturnType<typeof openOurs>>,
  peers: Library[],
  report: Report,
  budget: number,
): Promise<void> {
  try {
    await announced(`the mirror of ${c.label}`, checkMirror(ours.backend, c));
    const work = c.ours();
    const notes: string[] = [];
    const { result, warm } = await announced(`dawngrad to compute ${c.label}`, resultOf(ours, work, c));
    const contestants: Contestant[] = [{ library: ours, work, warm }];
    for (const peer of peers) {
      const made = await announced(`${peer.name} to compute ${c.label}`, contestant(bench, c, peer, result)).catch(
        (e) => `${peer.name} fails: ${String(e.message ?? e).split('\n')[0]}`,
      );
      if (typeof made === 'string') notes.push(made);
      else contestants.push(made);
    }
    const [mine, ...theirs] = await measure(contestants, budget);
    const ratios = Object.fromEntries(theirs.map((t, i) => [contestants[i + 1].library.name, compare(mine, t)]));
    const row: Row = {
      op: bench.name,
      label: c.label,
      ...mine,
      ...rateOf(c, mine.ms, report.ceiling),
      ...ratios,
      notes,
      goal: bench.goal ?? {},
    };
    if ((row.percent ?? 0) > 100)
      notes.push('above the ceiling, which is of memory and of f32: it works in a cache, or on matrix units');
    if (c.per) row.per = { name: c.per.name, ms: mine.ms / c.per.count };
    report.rows.push(row);
    const short = shortfall(row);
    const told = [
      `${row.ms.toFixed(2)} ms (n ${row.samples})`,
      ...Object.entries(ratios).map(([n, r]) => `${n} ${r.ratio.toFixed(2)}× (n ${r.samples})`),
      ...notes,
      ...(short.length ? ['BELOW'] : []),
    ];
    process.stderr.write(`${row.op}, ${row.label}: ${told.join(', ')}\n`);
  } catch (e) {
    report.failed.push(`${bench.name}, ${c.label}: ${(e as Error).message}`);
    process.stderr.write(`${report.failed.at(-1)}\n`);
    process.exitCode = 1;
  }
}

/** A peer's way to do the case, seen to compute what ours does; or why it does not take part. */
async function contestant(bench: Bench, c: Case, peer: Library, ours: Float32Array[]): Promise<Contestant | string> {
  const make = c[peer.name as 'tfjs' | 'jax'];
  if (!make) return bench.lacks?.[peer.name] ?? `${peer.name} lacks this operation`;
  const work = await make(peer.api);
  const { result, warm } = await resultOf(peer, work, c);
  const unlike = differs(ours, result, c.tolerance);
  return unlike ? `${peer.name} computes something else: ${unlike}` : { library: peer, work, warm };
}

/** Says so when something before the timing takes long, compilation above all. */
async function announced<T>(what: string, promise: Promise<T>): Promise<T> {
  const from = performance.now();
  const result = await promise;
  const seconds = (performance.now() - from) / 1000;
  if (seconds > 5) process.stderr.write(`(${seconds.toFixed(0)} s for ${what})\n`);
  return result;
}

/** What the run gives that a case compares, and its time if others came before it. */
async function resultOf(
  library: Library,
  work: Contestant['work'],
  { before = 0 }: Case,
): Promise<{ result: Float32Array[]; warm?: number }> {
  for (let i = 0; i < before; i++) {
    library.run(work);
    await library.submit();
    await library.done();
  }
  const from = performance.now();
  const result = await library.values(work);
  return { result, warm: before ? performance.now() - from : undefined };
}

function rateOf(c: Case, ms: number, ceiling: Ceiling): Pick<Row, 'rate' | 'unit' | 'percent'> {
  const [amount, unit, most] = c.flops
    ? [c.flops, 'GFLOP/s' as const, ceiling.flops]
    : [c.bytes ?? 0, 'GB/s' as const, ceiling.bytes];
  if (!amount) return {};
  const rate = amount / ms / 1e6;
  return { rate, unit, percent: (rate * 1e11) / most };
}

const args = process.argv.slice(2);
const flag = (name: string) => args.includes(`--${name}`);
const named = args.filter((a) => !a.startsWith('--'));
const minutes = Number(args.find((a) => a.startsWith('--minutes='))?.slice(10) ?? 8);
if (flag('replay')) console.log(await measureReplay());
else if (flag('data')) console.log(await measureData(named[0], Number(named[1] ?? 32)));
else if (flag('model')) console.log(await modelReport(flag('json')));
else if (flag('card')) {
  provideGpu(false);
  console.log(
    await measureCard({
      root,
      version: read('package.json').version,
      folder: join(root, 'bench/results'),
      minutes,
      tiny: flag('tiny'),
    }),
  );
} else if (flag('variants')) {
  provideGpu(false);
  await measureVariants(named, read('package.json').version, minutes);
} else if (flag('scale')) console.log(await measureScale(await openOurs(read('package.json').version)));
else
  await main({
    only: named,
    full: flag('full'),
    peers: !flag('no-peers'),
    robust: flag('robust'),
    save: args.find((a) => a.startsWith('--save='))?.slice(7),
    pytorch: flag('pytorch'),
    json: flag('json'),
  });
process.exit(); // devices would keep the process
