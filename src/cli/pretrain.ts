import { resolve } from 'node:path';
import { GpuBackend } from '../backend/gpu.js';
import { ConfigError } from '../core/errors.js';
import { splitHeldOut } from '../data/pictures.js';
import type { PictureSource } from '../data/source.js';
import { Pretraining } from '../moco/pretrain.js';
import { EMBEDDED } from '../moco/embed.js';
import { openRun, type Run, type RunInfo, startRun } from '../moco/run.node.js';
import { demoConfig, type PretrainConfig } from '../moco/config.js';
import { presets } from '../moco/presets.js';
import { describeFlags, type Parsed } from './args.js';
import type { Call, Command } from './command.js';
import { commonFlags, openDevice, Output, whereabouts } from './common.js';
import { dryRun } from './dry-run.js';
import { expectations } from './expect.js';
import { type Loading, loadingFlags, loadingOf, streamedText } from './loading.js';
import { configFlags, configFrom, runFlags } from './pretrain-flags.js';
import { openRunSource } from './run-pictures.js';
import { train } from './train.js';

const helpFor = (config: PretrainConfig): string => `dawngrad pretrain [DATA] [flags]

Trains an encoder on unlabelled pictures by MoCo v1, v2 or v3, or by the mechanisms they are compared
with, and measures what it learned.
DATA is a folder of JPEG, PNG or WebP pictures (sub-folders are classes, used only to measure), of
CIFAR-10 binary batches, or of MNIST-style IDX files. Without it, pictures are drawn.

Examples
  dawngrad pretrain
  dawngrad pretrain photos --epochs 50 --out runs/photos
  dawngrad pretrain cifar --classes airplane,automobile,bird,cat
  dawngrad pretrain cifar --preset cifar-r18 --dry-run
  dawngrad pretrain --resume runs/photos

The run
${describeFlags(runFlags)}

Presets
  ${Object.keys(presets).join(', ')}

The method, with the defaults of the preset
${describeFlags(configFlags(config))}`;

/** `dawngrad pretrain`. */
export const pretrain: Command = { flags: [...runFlags, ...configFlags(demoConfig)], help: (args) => helpFor(configFrom(args)), run: runPretrain };

async function runPretrain(args: Parsed, call: Call): Promise<number> {
  if (args.flags.has('print-config')) {
    console.log(JSON.stringify(configFrom(args), null, 2));
    return 0;
  }
  const out = new Output(args);
  const resumed = resumedRun(args);
  const info = resumed?.info ?? plannedRun(args, call);
  const opened = await openDevice(args);
  out.tell(whereabouts(opened));
  if (opened instanceof GpuBackend) out.detail(`Kernels are chosen by ${JSON.stringify(opened.gpu.traits)}`);
  out.detail(`Configuration: ${JSON.stringify(info.config)}`);
  const loading = loadingOf(args, opened);
  const pictures = await picturesOf(info, out, loading);
  const training = new Pretraining(info.config, splitHeldOut(pictures, info.config.heldOut, info.config.seed), { ahead: loading.ahead });
  for (const warning of training.warnings) out.warn(warning);
  for (const line of expectations(training)) out.tell(line);
  if (args.flags.has('dry-run')) {
    await dryRun(training, opened, out);
    return 0;
  }
  const run = resumed ?? (await startRun(runFolder(args), { ...info, adapter: opened.name }));
  await resumed?.resume(training);
  return train(run, training, pictures.skipped, { out, chart: args.flags.has('chart'), tensorboard: !args.flags.has('no-tensorboard') });
}

/** Flags that --resume allows: what they say leaves the run's bits alone. */
const beside = ['resume', 'adapter', 'chart', 'no-tensorboard', ...[...loadingFlags, ...commonFlags].map((f) => f.name)];

/** The run named by --resume, which brings its own data and configuration. */
function resumedRun({ flags, positional }: Parsed): Run | undefined {
  const folder = flags.get('resume') as string | undefined;
  if (folder === undefined) return undefined;
  const other = [...flags.keys()].find((name) => !beside.includes(name)) ?? positional[0];
  if (other !== undefined) throw new ConfigError(`--resume: a run goes on with its own data and configuration; got ${flags.has(other) ? `--${other}` : other} too. Leave it out, or start a new run.`);
  return openRun(folder);
}

/** What a new run would be: its data, how pictures are chosen, and its configuration. */
export function plannedRun(args: Parsed, call: Call): RunInfo {
  const { flags, positional } = args;
  if (positional.length > 1) throw new ConfigError(`pretrain: one data set is trained on; got ${positional.join(' and ')}. Put the pictures in one folder.`);
  const data = positional[0] ?? (flags.get('data') as string | undefined);
  const choice = {
    classes: flags.get('classes') as string[] | undefined,
    limitPerClass: flags.get('limit') as number | undefined,
    count: data === undefined ? ((flags.get('count') as number | undefined) ?? 1000) : undefined,
  };
  return { ...call, adapter: '', data: data === undefined ? 'drawn' : resolve(data), choice, config: configFrom(args) };
}

const runFolder = ({ flags }: Parsed): string => (flags.get('out') as string | undefined) ?? `runs/${new Date().toISOString().slice(0, 19).replace(/:/g, '-')}`;

/** Opens or draws the pictures of a run. */
export async function picturesOf(info: RunInfo, out: Output, loading: Loading): Promise<PictureSource> {
  const pictures = await openRunSource(info, loading, (text) => out.tell(text));
  const { count, height, width, classes, skipped, warnings = [] } = pictures;
  out.tell(`${count} pictures of ${width}×${height}${classes ? ` in ${classes.length} classes` : ''}${info.data === 'drawn' ? ', drawn' : ` from ${info.data}`}.`);
  const [{ batch }, { ahead }] = [info.config, loading];
  const streamed = streamedText(pictures, loading, (ahead + 1) * batch, ahead * batch + (ahead + 1) * EMBEDDED);
  if (streamed) out.tell(streamed);
  for (const warning of warnings) out.warn(warning);
  for (const { name, reason } of skipped.slice(0, out.verbose ? undefined : 5)) out.tell(`Skipped ${name}: ${reason}`);
  if (skipped.length > 0) out.tell(`${skipped.length} pictures skipped in all.`);
  return pictures;
}
