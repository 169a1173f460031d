import { resolve } from 'node:path';
import { device } from '../backend/device.js';
import { GpuBackend } from '../backend/gpu.js';
import { ConfigError } from '../core/errors.js';
import { type Pictures, splitHeldOut } from '../data/pictures.js';
import type { AdapterChoice } from '../gpu/adapter.js';
import { writeAtomic } from '../io/atomic.node.js';
import { renderReport } from '../io/report.js';
import { pixelFeatures } from '../moco/embed.js';
import { knnAccuracy } from '../moco/knn.js';
import { Pretraining, type StepRecord } from '../moco/pretrain.js';
import { gallery, type GalleryRow, galleryRows } from '../moco/report.js';
import { type BaselineRecord, type Metric, openRun, type Run, type RunInfo, startRun } from '../moco/run.node.js';
import { demoConfig, type PretrainConfig } from '../moco/config.js';
import { presets } from '../moco/presets.js';
import { describeFlags, parseArgs, type Parsed } from './args.js';
import { Board } from './board.js';
import { commonFlags, Output } from './common.js';
import { dryRun } from './dry-run.js';
import { expectations } from './expect.js';
import { configFlags, configFrom, runFlags } from './pretrain-flags.js';
import { Progress } from './progress.js';
import { openRunPictures } from './run-pictures.js';
import { resultsOf, resultTable } from './table.js';

const INTERRUPTED = 130;

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

/** Runs `dawngrad pretrain`. Returns the exit code. */
export async function pretrain(argv: readonly string[], version: string): Promise<number> {
  const args = parseArgs('pretrain', argv, [...runFlags, ...configFlags(demoConfig)]);
  if (args.flags.has('help')) {
    console.log(helpFor(configFrom(args)));
    return 0;
  }
  if (args.flags.has('print-config')) {
    console.log(JSON.stringify(configFrom(args), null, 2));
    return 0;
  }
  const out = new Output(args);
  const resumed = resumedRun(args);
  const info = resumed?.info ?? plannedRun(args, argv, version);
  const opened = await device({ adapter: args.flags.get('adapter') as AdapterChoice | undefined });
  const software = opened instanceof GpuBackend && opened.gpu.software;
  out.tell(software ? `No GPU is used: computing in software on ${opened.name}.` : `Computing on ${opened.name}.`);
  if (opened instanceof GpuBackend) out.detail(`Kernels are chosen by ${JSON.stringify(opened.gpu.traits)}`);
  out.detail(`Configuration: ${JSON.stringify(info.config)}`);
  const pictures = await picturesOf(info, out);
  const training = new Pretraining(info.config, splitHeldOut(pictures, info.config.heldOut, info.config.seed));
  for (const warning of training.warnings) out.warn(warning);
  for (const line of expectations(training)) out.tell(line);
  if (args.flags.has('dry-run')) {
    await dryRun(training, opened, out);
    return 0;
  }
  const run = resumed ?? (await startRun(runFolder(args), { ...info, adapter: opened.name }));
  await resumed?.resume(training);
  return train(run, training, pictures, out, !args.flags.has('no-tensorboard'));
}

/** The run named by --resume, which brings its own data and configuration. */
function resumedRun({ flags, positional }: Parsed): Run | undefined {
  const folder = flags.get('resume') as string | undefined;
  if (folder === undefined) return undefined;
  const other = [...flags.keys()].find((name) => !['resume', 'adapter', 'no-tensorboard', ...commonFlags.map((f) => f.name)].includes(name)) ?? positional[0];
  if (other !== undefined) throw new ConfigError(`--resume: a run goes on with its own data and configuration; got ${flags.has(other) ? `--${other}` : other} too. Leave it out, or start a new run.`);
  return openRun(folder);
}

/** What a new run would be: its data, how pictures are chosen, and its configuration. */
export function plannedRun(args: Parsed, argv: readonly string[], version: string): RunInfo {
  const { flags, positional } = args;
  if (positional.length > 1) throw new ConfigError(`pretrain: one data set is trained on; got ${positional.join(' and ')}. Put the pictures in one folder.`);
  const data = positional[0] ?? (flags.get('data') as string | undefined);
  const choice = {
    classes: flags.get('classes') as string[] | undefined,
    limitPerClass: flags.get('limit') as number | undefined,
    count: data === undefined ? ((flags.get('count') as number | undefined) ?? 1000) : undefined,
  };
  return { version, adapter: '', command: ['dawngrad pretrain', ...argv].join(' '), data: data === undefined ? 'drawn' : resolve(data), choice, config: configFrom(args) };
}

const runFolder = ({ flags }: Parsed): string => (flags.get('out') as string | undefined) ?? `runs/${new Date().toISOString().slice(0, 19).replace(/:/g, '-')}`;

/** Opens or draws the pictures of a run. */
export async function picturesOf(info: RunInfo, out: Output): Promise<Pictures> {
  const pictures = await openRunPictures(info);
  const { count, height, width, classes, skipped, warnings = [] } = pictures;
  out.tell(`${count} pictures of ${width}×${height}${classes ? ` in ${classes.length} classes` : ''}${info.data === 'drawn' ? ', drawn' : ` from ${info.data}`}.`);
  for (const warning of warnings) out.warn(warning);
  for (const { name, reason } of skipped.slice(0, out.verbose ? undefined : 5)) out.tell(`Skipped ${name}: ${reason}`);
  if (skipped.length > 0) out.tell(`${skipped.length} pictures skipped in all.`);
  return pictures;
}

async function train(run: Run, training: Pretraining, pictures: Pictures, out: Output, tensorboard: boolean): Promise<number> {
  const { config, totalSteps, stepsPerEpoch } = training;
  const progress = new Progress(totalSteps, config.batch, stepsPerEpoch, out.quiet);
  const board = tensorboard ? new Board(run, training) : undefined;
  let before: number | undefined;
  const timed = (record: StepRecord): StepRecord => {
    const [last, now] = [before, performance.now()];
    before = now;
    return last === undefined ? record : { ...record, picturesPerSecond: Math.round((1e5 * config.batch) / (now - last)) / 100 };
  };
  const log = (metric: Metric) => {
    run.log(metric);
    board?.metric(metric);
  };
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) return;
    progress.say('Stopping after this step, to save.');
    stop.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  if (training.position.step === 0 && !run.history().before) {
    await baselines(log, training);
    await board?.views();
  }
  const began = Date.now();
  const finished = await training.run({
    signal: stop.signal,
    onStep: (record) => {
      log(timed(record));
      progress.update(record);
    },
    onKnn: (record) => {
      log(record);
      progress.say(`epoch ${record.epoch}: k-NN ${(100 * record.knn).toFixed(1)} %`);
    },
    onSpread: (record) => log(record),
    onWarning: (text) => progress.say(`Warning: ${text}`),
    onEpoch: async (position) => {
      await board?.similarities();
      await run.save(training, position);
    },
  });
  progress.end();
  if (training.position.step % stepsPerEpoch !== 0 || training.position.step === 0) await run.save(training, training.position);
  await run.written();
  process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  const rows = training.heldOut.count > 0 ? await galleryRows(training.heldOut, await training.features()) : [];
  await board?.gallery(rows);
  await board?.written();
  await writeReport(run, training, pictures, rows, (Date.now() - began) / 1000);
  const results = resultsOf(run, training);
  out.result(finished ? resultTable(results, training) : `Stopped at step ${results.step} of ${totalSteps}. Continue with: dawngrad pretrain --resume ${run.folder}`, results);
  return finished ? 0 : INTERRUPTED;
}

/** k-NN before training, once a run. */
async function baselines(log: (metric: Metric) => void, training: Pretraining): Promise<void> {
  const { config, heldOut, train } = training;
  const randomEncoder = await training.knn();
  if (randomEncoder === undefined) return;
  const pixels = (p: Pictures) => pixelFeatures(p, config.mean, config.std);
  const rawPixels = await knnAccuracy(pixels(heldOut), pixels(train), { k: config.knn, T: config.knnT });
  const record: BaselineRecord = { epoch: 0, rawPixels, randomEncoder, chance: 1 / new Set(train.labels).size };
  log(record);
}

async function writeReport(run: Run, training: Pretraining, pictures: Pictures, rows: GalleryRow[], elapsedSeconds: number): Promise<void> {
  const { config, train, heldOut } = training;
  const { steps, knn, spread, before } = run.history();
  const notes = [...training.warnings];
  if (pictures.skipped.length > 0) notes.push(`${pictures.skipped.length} pictures could not be decoded and were left out.`);
  const html = renderReport({
    title: `Pretraining by ${config.method}`, command: run.info.command, config: { ...config, data: run.info.data, ...run.info.choice },
    adapter: run.info.adapter, version: run.info.version, seed: config.seed,
    steps, spread: spread.map((r) => ({ epoch: r.epoch, value: r.featureSpread })), knn: knn.map((r) => ({ epoch: r.epoch, accuracy: r.knn })), queueSize: keysOf(training) - 1, chanceLoss: training.method.chance(config.batch / config.accumulate).loss, notes, elapsedSeconds,
    baselines: { ...before, trained: knn.at(-1)?.knn, k: config.knn, T: config.knnT },
    gallery: await gallery(train, heldOut, rows),
  });
  await writeAtomic(run.file('report.html'), html);
}

/** Keys that a query chooses from. */
const keysOf = ({ config, train }: Pretraining): number =>
  config.method === 'memory-bank' && config.bankLoss === 'full' ? train.count : config.method === 'moco' || config.method === 'memory-bank' ? config.K + 1 : config.batch / config.accumulate;
