import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../src/core/errors.js';
import { checkDevice } from '../src/gpu/device.js';
import { writeAtomic } from '../src/io/atomic.node.js';
import { cardRows, type Row } from './card-rows.js';
import { type Library, openOurs } from './libraries.js';
import { measure } from './measure.js';
import { commitOf } from './save.js';

export interface CardOptions {
  /** The tree's root: what commit it is of. */
  root: string;
  version: string;
  /** Folder that the measurements are saved in. */
  folder: string;
  /** Minutes of the whole; a row that would begin later is left for the next run. */
  minutes: number;
  /** Sizes of a test. */
  tiny: boolean;
  rows?: readonly Row[];
}

/** What became of a row: milliseconds on the device and on the host, or why there are none. */
interface Result {
  readonly ms?: number;
  readonly wall?: number;
  readonly failed?: string;
}

interface Saved {
  readonly adapter: string;
  readonly commit: string;
  readonly results: Record<string, Result>;
}

type Ours = Library & Awaited<ReturnType<typeof openOurs>>;

/** A row that has taken so long is given up, and counts as failed. */
const ROW_SECONDS = 90;
/** How long the card works before anything is timed: an idle one runs at a fraction of its clock. */
const WARM_MS = 2000;

/**
 * Measures the rows of a graphics card in order of worth, and saves after each. Rows that were measured at the same
 * commit on the same adapter are skipped. Returns the table.
 */
export async function measureCard(options: CardOptions): Promise<string> {
  const { root, version, folder, minutes, tiny, rows = cardRows(tiny) } = options;
  if (!(minutes > 0)) throw new ConfigError(`bench: --minutes must be a number above 0; got ${minutes}. Use 8.`);
  const end = performance.now() + 60_000 * minutes;
  const ours = (await openOurs(version)) as Ours;
  const commit = commitOf(root);
  const path = join(folder, `card-${slug(ours.backend.name)}-${slug(commit)}${tiny ? '-tiny' : ''}`);
  const saved: Saved = earlier(path) ?? {
    adapter: tiny ? `${ours.backend.name}, tiny sizes whatever the rows say` : ours.backend.name,
    commit,
    results: {},
  };
  await warm(ours, rows[0], tiny ? 0 : WARM_MS);
  const open = rows.filter(({ name }) => saved.results[name]?.ms === undefined);
  const failedBefore = ({ name }: Row) => Number(saved.results[name] !== undefined); // those come last
  for (const row of open.sort((a, b) => failedBefore(a) - failedBefore(b))) {
    const left = end - performance.now();
    if (left <= 0) break;
    const result = await withLimit(oneRow(ours, row, tiny), Math.min(1000 * ROW_SECONDS, left));
    saved.results[row.name] = result;
    process.stderr.write(`${row.name}: ${result.failed ?? `${result.ms!.toFixed(3)} ms`}\n`);
    await writeAtomic(`${path}.json`, `${JSON.stringify(saved, null, 1)}\n`);
    await writeAtomic(`${path}.md`, cardTable(saved, rows));
    if (result.failed === GIVEN_UP) break; // its work is still on the device: what came after would wait for it
  }
  return cardTable(saved, rows);
}

const slug = (name: string): string => name.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-|-$/g, '');

/** What was saved before; a file that is no JSON counts as none, for every row can be measured again. */
function earlier(path: string): Saved | undefined {
  if (!existsSync(`${path}.json`)) return undefined;
  try {
    return JSON.parse(readFileSync(`${path}.json`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Keeps the device busy until its clock has risen. */
async function warm(ours: Ours, row: Row | undefined, ms: number): Promise<void> {
  if (!row || ms === 0) return;
  const until = performance.now() + ms;
  try {
    const work = row.work(ours.backend);
    while (performance.now() < until) {
      for (let i = 0; i < 8; i++) ours.run(work);
      await ours.submit();
      await ours.done();
    }
  } catch {
    // its own turn tells what fails
  }
}

const GIVEN_UP = `took longer than ${ROW_SECONDS} s, or than was left; run again`;

async function withLimit(work: Promise<Result>, ms: number): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Result>((resolve) => {
    timer = setTimeout(() => resolve({ failed: GIVEN_UP }), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** The device's time, the median of samples, and the host's from the first call to the last result. */
async function oneRow(ours: Ours, row: Row, tiny: boolean): Promise<Result> {
  try {
    const work = row.work(ours.backend);
    for (let i = 0; i < 3; i++) {
      ours.run(work); // compiles, records and checks its recording
      await ours.submit();
      await ours.done();
    }
    checkDevice(ours.backend.gpu);
    const [{ ms }] = await measure([{ library: ours, work }], tiny ? 1 : 400);
    const runs = Math.max(1, Math.min(50, Math.ceil((tiny ? 1 : 200) / ms)));
    const from = performance.now();
    for (let i = 0; i < runs; i++) ours.run(work);
    await ours.submit();
    await ours.done();
    const each = row.each ?? 1;
    return { ms: ms / each, wall: (performance.now() - from) / runs / each };
  } catch (e) {
    return { failed: String((e as Error).message ?? e).split('\n')[0] };
  } finally {
    await collectGarbage();
  }
}

/** Lets the memory of a row go before the next: a step takes tens of gigabytes. */
async function collectGarbage(): Promise<void> {
  globalThis.gc?.();
  await new Promise((resolve) => setImmediate(resolve));
}

/** The table: what was measured beside what an NVIDIA H200 did before, must do, and does in PyTorch. */
export function cardTable({ adapter, commit, results }: Saved, rows: readonly Row[]): string {
  const cells = (row: Row) => {
    const { ms, wall, failed } = results[row.name] ?? {};
    const rate = ms === undefined ? '' : rateOf(row, ms);
    const told = failed
      ? `failed: ${failed.replaceAll('|', '/')}`
      : ms === undefined
        ? 'not measured yet'
        : ms.toFixed(4);
    return [row.name, told, wall?.toFixed(4) ?? '', rate, row.was ?? '', row.must ?? '', row.pytorch ?? ''];
  };
  const head = ['', 'device, ms', 'wall, ms', 'rate', 'H200 before', 'H200 must', 'PyTorch 2.11, H200'];
  return [
    `${adapter}, commit ${commit}`,
    '',
    ...[head, ['---', '--:', '--:', '--:', '---', '---', '---'], ...rows.map(cells)].map((c) => `| ${c.join(' | ')} |`),
    '',
  ].join('\n');
}

function rateOf({ flops, bytes, each = 1 }: Row, ms: number): string {
  if (flops) return `${(flops / (ms * each) / 1e9).toFixed(1)} TFLOP/s`;
  return bytes ? `${(bytes / (ms * each) / 1e9).toFixed(2)} TB/s` : '';
}
