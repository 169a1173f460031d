import { resolve } from 'node:path';
import { GpuBackend } from '../backend/gpu.js';
import { ConfigError } from '../core/errors.js';
import { formatsHelp } from '../data/formats.node.js';
import { testFileOf } from '../data/open-pictures.node.js';
import type { PictureSource } from '../data/picture-source.js';
import { splitHeldOut } from '../data/pictures.js';
import { SYNTHETIC } from '../data/synthetic.js';
import { EMBEDDED } from '../eval/embed.js';
import { checkConfig, type PretrainConfig, pretrainSettings } from '../moco/config.js';
import { checkMethod } from '../moco/create.js';
import { presets } from '../moco/presets.js';
import { multipliedIn } from '../ops/precision.js';
import { checkFits } from '../train/needs.js';
import { checkFree, openRun, startRun } from '../train/open-run.node.js';
import { Pretraining } from '../train/pretrain.js';
import type { Run, RunInfo } from '../train/run.node.js';
import { describeFlags, type Parsed } from './args.js';
import { checkData } from './check-flags.js';
import type { Call, Command } from './command.js';
import { dryRun } from './dry-run.js';
import { commonFlags, settingFlags, streamFlags } from './flags.js';
import { expectations } from './loss-expectations.js';
import { type Loading, loadingOf, openData, pathOf, streamedText } from './open-data.js';
import { openDevice, roomOf, surviving, whereabouts } from './open-device.js';
import { Output } from './output.js';
import { logPictures, sizeText } from './picture-warnings.js';
import { configFrom, runFlags } from './pretrain-flags.js';
import { alignedTo, openRunSource } from './run-pictures.js';
import { train } from './train.js';

const helpFor = (config: PretrainConfig): string => `dawngrad pretrain [DATA] [flags]

Trains an encoder on unlabelled pictures by MoCo v1, v2 or v3, or by the mechanisms they are compared
with, and measures what it learned.
DATA is one of these; classes are used only to measure, and without DATA pictures are synthetic:
${formatsHelp.map((help) => `  ${help}`).join('\n')}

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
${describeFlags(settingFlags(pretrainSettings, { ...config }))}`;

/** `dawngrad pretrain`. */
export const pretrain: Command = {
  flags: [...runFlags, ...settingFlags(pretrainSettings)],
  help: (args) => helpFor(configFrom(args)),
  run: runPretrain,
};

async function runPretrain(args: Parsed, call: Call): Promise<number> {
  if (args.flags.has('print-config')) {
    console.log(JSON.stringify(configFrom(args), null, 2));
    return 0;
  }
  const out = new Output(args);
  const resumed = resumedRun(args);
  const info = resumed?.info ?? (await measuredOn(plannedRun(args, call), args));
  const folder = runFolder(args);
  if (resumed) await checkResumed(resumed);
  else if (!args.flags.has('dry-run')) checkFree(folder);
  const opened = await openDevice(args);
  out.log(whereabouts(opened));
  checkFits(info.config, 1, roomOf(opened));
  if (opened instanceof GpuBackend) out.detail(`Kernels are chosen by ${JSON.stringify(opened.gpu.traits)}`);
  out.detail(`Configuration: ${JSON.stringify(info.config)}`);
  const loading = loadingOf(args, opened);
  // parts of a set are copies: it is let go
  const sets = await setsOf(info, await picturesOf(info, out, loading), out, loading);
  if (info.config.method === 'memory-bank') checkFits(info.config, sets.train.count, roomOf(opened));
  const begin = () => new Pretraining(info.config, sets, { ahead: loading.ahead });
  const training = begin();
  for (const warning of training.warnings) out.warn(warning);
  for (const line of expectations(training)) out.log(line);
  if (args.flags.has('dry-run')) {
    await dryRun(training, opened, out);
    return 0;
  }
  const run =
    resumed ??
    (await startRun(folder, { ...info, adapter: opened.name, products: multipliedIn(info.config.precision, opened) }));
  try {
    return await trainOn(args, out, run, { training, begin, resumed: resumed !== undefined });
  } finally {
    run.close();
  }
}

/** Trains a run, and on a device opened again from its last save when the device was lost. */
function trainOn(
  args: Parsed,
  out: Output,
  run: Run,
  { training, begin, resumed }: { training: Pretraining; begin: () => Pretraining; resumed: boolean },
): Promise<number> {
  let next: Pretraining | undefined = training;
  let from = resumed;
  const work = async () => {
    const now = next ?? begin();
    next = undefined;
    if (from) await run.resume(now);
    from = true;
    return train(run, now, now.train.skipped, {
      out,
      chart: args.flags.has('chart'),
      tensorboard: !args.flags.has('no-tensorboard'),
      saveEvery: args.flags.get('save-every') as number | undefined,
    });
  };
  return surviving(args, out, work, `It is saved: go on with dawngrad pretrain --resume ${run.folder}`);
}

/** Sees that a run can go on, and takes its folder, before pictures are opened. */
async function checkResumed(run: Run): Promise<void> {
  run.open();
  await run.check();
}

/** Flags that --resume allows: what they say leaves the run's bits alone. */
const beside = [
  'resume',
  'adapter',
  'chart',
  'no-tensorboard',
  'save-every',
  ...[...streamFlags, ...commonFlags].map((f) => f.name),
];

/** The run named by --resume, which brings its own data and configuration. */
function resumedRun({ flags, positional }: Parsed): Run | undefined {
  const folder = flags.get('resume') as string | undefined;
  if (folder === undefined) return undefined;
  const other = [...flags.keys()].find((name) => !beside.includes(name)) ?? positional[0];
  if (other !== undefined)
    throw new ConfigError(
      `--resume: a run goes on with its own data and configuration; ` +
        `got ${flags.has(other) ? `--${other}` : other} too. Leave it out, or start a new run.`,
    );
  const run = openRun(folder);
  checkPlan(run.info);
  return run;
}

/** Checks a run before its pictures are opened. */
function checkPlan({ data, choice, config }: Pick<RunInfo, 'data' | 'choice' | 'config'>): void {
  checkMethod(config);
  if (data !== SYNTHETIC) return checkData(data);
  const train = choice.count! - Math.round(config.heldOut * choice.count!);
  checkConfig(config, train);
}

/** What a new run would be: its data, how pictures are chosen, and its configuration. */
export function plannedRun(args: Parsed, call: Call): RunInfo {
  const { flags, positional } = args;
  if (positional.length > 1)
    throw new ConfigError(
      `pretrain: one data set is trained on; got ${positional.join(' and ')}. Put the pictures in one folder.`,
    );
  const data = pathOf(positional[0] ?? (flags.get('data') as string | undefined));
  const choice = {
    classes: flags.get('classes') as string[] | undefined,
    limitPerClass: flags.get('limit') as number | undefined,
    count: (flags.get('count') as number | undefined) ?? (data === SYNTHETIC ? 1000 : undefined),
  };
  const planned = { data, choice, config: configFrom(args) };
  checkPlan(planned);
  return { ...call, adapter: '', ...planned };
}

/**
 * The run with what it is measured on, where that is no part of its data: --test, or the test file that lies beside it.
 */
async function measuredOn(info: RunInfo, { flags }: Parsed): Promise<RunInfo> {
  const given = flags.get('test') as string | undefined;
  if (given !== undefined && flags.has('held-out'))
    throw new ConfigError(
      '--test: a run must be measured on those pictures or on a part held out of its own; got --held-out too. ' +
        'Leave one out.',
    );
  if (given !== undefined && info.data === SYNTHETIC)
    throw new ConfigError(
      `--test: it must go with pictures of your own to train on; got synthetic ones. Name them: ` +
        `dawngrad pretrain DATA --test ${given}.`,
    );
  const own = info.data === SYNTHETIC || flags.has('held-out') ? undefined : await testFileOf(info.data);
  const test = given === undefined ? own : resolve(given);
  checkData(test);
  return test === undefined ? info : { ...info, test, config: { ...info.config, heldOut: 0 } };
}

/** The pictures to train on and those to measure on. */
async function setsOf({ test, config }: RunInfo, pictures: PictureSource, out: Output, loading: Loading) {
  if (test === undefined) return splitHeldOut(pictures, config.heldOut, config.seed);
  const opened = await openData(test, { views: config.size }, loading, (text) => out.log(text));
  out.log(`Measured on ${opened.count} pictures from ${test}.`);
  logPictures(opened, out);
  return { train: pictures, heldOut: alignedTo(pictures, opened, out) };
}

const runFolder = ({ flags }: Parsed): string =>
  (flags.get('out') as string | undefined) ?? `runs/${new Date().toISOString().slice(0, 19).replace(/:/g, '-')}`;

/** Opens or makes the pictures of a run. */
export async function picturesOf(info: RunInfo, out: Output, loading: Loading): Promise<PictureSource> {
  const pictures = await openRunSource(info, loading, (text) => out.log(text), info.config);
  const { count, classes } = pictures;
  const among = classes ? ` in ${classes.length} classes` : '';
  const origin = info.data === SYNTHETIC ? ', synthetic' : ` from ${info.data}`;
  out.log(`${count} pictures of ${sizeText(pictures)}${among}${origin}.`);
  const [{ batch }, { ahead }] = [info.config, loading];
  const streamed = streamedText(pictures, loading, (ahead + 1) * batch, ahead * batch + (ahead + 1) * EMBEDDED);
  if (streamed) out.log(streamed);
  logPictures(pictures, out);
  return pictures;
}
