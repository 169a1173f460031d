import { resolve } from 'node:path';
import { device } from '../backend/device.js';
import { GpuBackend } from '../backend/gpu.js';
import { ConfigError } from '../core/errors.js';
import { drawPictures } from '../data/drawn.js';
import { openPictures } from '../data/open.node.js';
import { type Pictures, splitHeldOut } from '../data/pictures.js';
import type { AdapterChoice } from '../gpu/adapter.js';
import { writeAtomic } from '../io/atomic.node.js';
import { renderReport } from '../io/report.js';
import { pixelFeatures } from '../moco/embed.js';
import { knnAccuracy } from '../moco/knn.js';
import { Pretraining } from '../moco/pretrain.js';
import { gallery } from '../moco/report.js';
import { type BaselineRecord, openRun, type Run, type RunInfo, startRun } from '../moco/run.node.js';
import { demoConfig, type PretrainConfig } from '../moco/config.js';
import { presets } from '../moco/presets.js';
import { describeFlags, parseArgs, type Parsed } from './args.js';
import { dryRun } from './dry-run.js';
import { expectations } from './expect.js';
import { configFlags, configFrom, runFlags } from './pretrain-flags.js';
import { Progress } from './progress.js';
import { resultTable } from './table.js';

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
  const quiet = args.flags.has('quiet');
  const tell = (text: string) => quiet || process.stderr.write(`${text}\n`);
  const resumed = resumedRun(args);
  const info = resumed?.info ?? plannedRun(args, argv, version);
  const opened = await device({ adapter: args.flags.get('adapter') as AdapterChoice | undefined });
  const software = opened instanceof GpuBackend && opened.gpu.software;
  tell(software ? `No GPU is used: computing in software on ${opened.name}.` : `Computing on ${opened.name}.`);
  const pictures = await picturesOf(info, tell);
  const training = new Pretraining(info.config, splitHeldOut(pictures, info.config.heldOut, info.config.seed));
  for (const warning of training.warnings) tell(`Warning: ${warning}`);
  for (const line of expectations(training)) tell(line);
  if (args.flags.has('dry-run')) {
    console.log(await dryRun(training, opened));
    return 0;
  }
  const run = resumed ?? (await startRun(runFolder(args), { ...info, adapter: opened.name }));
  await resumed?.resume(training);
  return train(run, training, pictures, quiet);
}

/** The run named by --resume, which brings its own data and configuration. */
function resumedRun({ flags, positional }: Parsed): Run | undefined {
  const folder = flags.get('resume') as string | undefined;
  if (folder === undefined) return undefined;
  const other = [...flags.keys()].find((name) => !['resume', 'adapter', 'quiet'].includes(name)) ?? positional[0];
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
export async function picturesOf({ data, choice, config }: RunInfo, tell: (text: string) => void): Promise<Pictures> {
  const { size, seed } = config;
  const pictures = data === 'drawn' ? drawPictures({ count: choice.count!, size, seed }) : await openPictures(data, { ...choice, seed });
  const { count, height, width, classes, skipped } = pictures;
  tell(`${count} pictures of ${width}×${height}${classes ? ` in ${classes.length} classes` : ''}${data === 'drawn' ? ', drawn' : ` from ${data}`}.`);
  for (const { name, reason } of skipped.slice(0, 5)) tell(`Skipped ${name}: ${reason}`);
  if (skipped.length > 0) tell(`${skipped.length} pictures skipped in all.`);
  return pictures;
}

async function train(run: Run, training: Pretraining, pictures: Pictures, quiet: boolean): Promise<number> {
  const { config, totalSteps, stepsPerEpoch } = training;
  const progress = new Progress(totalSteps, config.batch, stepsPerEpoch, quiet);
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) return;
    progress.say('Stopping after this step, to save.');
    stop.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  if (training.position.step === 0 && !run.history().before) await baselines(run, training);
  const began = Date.now();
  let first = true;
  const finished = await training.run({
    signal: stop.signal,
    onStep: (record) => {
      if (first) progress.say(`First step done after ${((Date.now() - began) / 1000).toFixed(1)} s, kernels compiled.`);
      first = false;
      run.log(record);
      progress.update(record);
    },
    onKnn: (record) => {
      run.log(record);
      progress.say(`epoch ${record.epoch}: k-NN ${(100 * record.knn).toFixed(1)} %`);
    },
    onEpoch: (position) => run.save(training, position),
  });
  progress.end();
  if (training.position.step % stepsPerEpoch !== 0 || training.position.step === 0) await run.save(training, training.position);
  await run.written();
  process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  await writeReport(run, training, pictures, (Date.now() - began) / 1000);
  if (!finished) console.log(`Stopped at step ${training.position.step} of ${totalSteps}. Continue with: dawngrad pretrain --resume ${run.folder}`);
  else console.log(resultTable(run, training));
  return finished ? 0 : INTERRUPTED;
}

/** k-NN before training, once a run. */
async function baselines(run: Run, training: Pretraining): Promise<void> {
  const { config, heldOut, train } = training;
  const randomEncoder = await training.knn();
  if (randomEncoder === undefined) return;
  const pixels = (p: Pictures) => pixelFeatures(p, config.mean, config.std);
  const rawPixels = await knnAccuracy(pixels(heldOut), pixels(train), { k: config.knn, T: config.knnT });
  const record: BaselineRecord = { epoch: 0, rawPixels, randomEncoder, chance: 1 / new Set(train.labels).size };
  run.log(record);
}

async function writeReport(run: Run, training: Pretraining, pictures: Pictures, elapsedSeconds: number): Promise<void> {
  const { config, train, heldOut } = training;
  const { steps, knn, before } = run.history();
  const notes = [...training.warnings];
  if (pictures.skipped.length > 0) notes.push(`${pictures.skipped.length} pictures could not be decoded and were left out.`);
  const html = renderReport({
    title: `Pretraining by ${config.method}`, command: run.info.command, config: { ...config, data: run.info.data, ...run.info.choice },
    adapter: run.info.adapter, version: run.info.version, seed: config.seed,
    steps, knn: knn.map((r) => ({ epoch: r.epoch, accuracy: r.knn })), queueSize: keysOf(training) - 1, chanceLoss: training.method.chance(config.batch / config.accumulate).loss, notes, elapsedSeconds,
    baselines: { ...before, trained: knn.at(-1)?.knn, k: config.knn, T: config.knnT },
    gallery: heldOut.count > 0 ? await gallery(train, heldOut, await training.features()) : [],
  });
  await writeAtomic(run.file('report.html'), html);
}

/** Keys that a query chooses from. */
const keysOf = ({ config, train }: Pretraining): number =>
  config.method === 'memory-bank' && config.bankLoss === 'full' ? train.count : config.method === 'moco' || config.method === 'memory-bank' ? config.K + 1 : config.batch / config.accumulate;
