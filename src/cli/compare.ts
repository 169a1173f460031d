import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { nonFinite } from '../checkpoints/finite.js';
import { readWeights } from '../checkpoints/weights.node.js';
import { ConfigError } from '../core/errors.js';
import { writeAtomic } from '../io/atomic.node.js';
import { type ComparedRun, comparisonTable, renderComparison } from '../report/compare-runs.js';
import { textGrid } from '../report/text-grid.js';
import { openRun } from '../train/open-run.node.js';
import { describeFlags, type Flag, type Parsed } from './args.js';
import type { Command } from './command.js';
import { commonFlags, sharedFlag } from './flags.js';
import { Output } from './output.js';

const flags: readonly Flag[] = [
  sharedFlag('out', { help: 'where to write the page', default: 'compare.html' }),
  ...commonFlags,
];

const help = `dawngrad compare RUN RUN... [flags]

Sets runs side by side: the settings that differ, the loss, k-NN and speed they reached, and in one HTML file
their curves over each other.

Examples
  dawngrad compare runs/queue-64 runs/queue-128 runs/no-shuffle --out queues.html

${describeFlags(flags)}`;

/** `dawngrad compare`. */
export const compare: Command = { flags, help, run: runCompare };

async function runCompare(args: Parsed): Promise<number> {
  const { flags: given, positional: folders } = args;
  if (folders.length < 2)
    throw new ConfigError(
      `compare: it takes two runs or more; got ${folders.length}. Write dawngrad compare runs/a runs/b.`,
    );
  const short = folders.map((folder) => basename(resolve(folder)));
  const output = new Output(args);
  const runs = folders.map((folder, i) => compared(folder, new Set(short).size === short.length ? short[i] : folder));
  for (const folder of folders) await warnOfValues(join(folder, 'checkpoint.safetensors'), output);
  const out = (given.get('out') as string | undefined) ?? 'compare.html';
  await writeAtomic(out, renderComparison(runs));
  const [names, ...rows] = comparisonTable(runs);
  const columns = names
    .slice(1)
    .map((run, i) => ({ run, ...Object.fromEntries(rows.map(([key, ...values]) => [key, values[i]])) }));
  output.result(`${textGrid([names, ...rows])}\nCurves: ${out}`, { runs: columns, out });
  return 0;
}

/** A run whose weights are not finite has nothing to be compared by but its curves. */
async function warnOfValues(file: string, output: Output): Promise<void> {
  const wrong = existsSync(file) ? nonFinite((await readWeights(file)).tensors) : undefined;
  if (wrong) output.warn(`${file}: ${wrong}.`);
}

function compared(folder: string, name: string): ComparedRun {
  const run = openRun(folder);
  const { config, data, choice, adapter, products, version } = run.info;
  const { steps, knn } = run.history();
  return {
    name,
    config: { ...config, data, ...choice, adapter, products, version },
    steps,
    knn: knn.map((k) => ({ epoch: k.epoch, accuracy: k.knn })),
  };
}
