import { measureCeiling } from '../backend/ceiling.js';
import type { GpuBackend } from '../backend/gpu.js';
import { chromeTrace } from '../compile/profile.js';
import { whole } from '../core/check.js';
import { splitHeldOut } from '../data/pictures.js';
import { writeAtomic } from '../io/atomic.node.js';
import { pretrainSettings } from '../moco/config.js';
import { Pretraining } from '../train/pretrain.js';
import { describeFlags, type Flag, type Parsed } from './args.js';
import type { Call, Command } from './command.js';
import { commonFlags, ownFlags, settingFlags, sharedFlag } from './flags.js';
import { loadingOf } from './open-data.js';
import { openDevice } from './open-device.js';
import { Output } from './output.js';
import { picturesOf, plannedRun } from './pretrain.js';
import { runFlags } from './pretrain-flags.js';
import { profileTable } from './profile-table.js';

const STEPS = 3;

const flags: readonly Flag[] = [
  ...runFlags.filter(({ name }) =>
    ['preset', 'config', 'data', 'classes', 'limit', 'count', 'adapter', ...commonFlags.map((f) => f.name)].includes(
      name,
    ),
  ),
  ...ownFlags({
    steps: {
      kind: 'number',
      help: 'steps that are timed; a dispatch has their median',
      default: STEPS,
      rule: whole(1),
      todo: `Use ${STEPS}.`,
    },
  }),
  sharedFlag('out', { help: 'write a trace for chrome://tracing or ui.perfetto.dev to this file' }),
];

const help = `dawngrad profile [DATA] [flags]

Times every dispatch of a training step on the device and tells, kernel by kernel, the share of time, bytes and
operations a second, and per cent of what simple kernels reach on this adapter. The configuration is as of pretrain.

Examples
  dawngrad profile
  dawngrad profile --preset cifar-r18 --count 2000 --out trace.json

${describeFlags(flags)}

The method: see dawngrad pretrain --help.`;

/** `dawngrad profile`. */
export const profile: Command = { flags: [...flags, ...settingFlags(pretrainSettings)], help, run: runProfile };

async function runProfile(args: Parsed, call: Call): Promise<number> {
  const steps = (args.flags.get('steps') as number | undefined) ?? STEPS;
  const output = new Output(args);
  const info = plannedRun(args, call);
  const opened = (await openDevice(args)) as GpuBackend;
  const pictures = await picturesOf(info, output, loadingOf(args, opened));
  const { config } = info;
  const training = new Pretraining(config, splitHeldOut(pictures, config.heldOut, config.seed));
  output.log('Compiling kernels and measuring what the adapter can do.');
  // compiles first: the ceilings leave a warm device, and the steps are timed on it
  for (let i = 0; i < 2; i++) await training.trial();
  const ceiling = await measureCeiling(opened);
  const records = await training.profile(steps);
  const by = opened.gpu.device.features.has('timestamp-query') ? 'device timestamps' : 'the clock of the host';
  const step = `A step of ${config.method} with ${config.model}, batch ${config.batch}`;
  const heading = `${step}, on ${opened.name}, by ${by}:`;
  output.result([heading, ...profileTable(records, ceiling, training.memory)].join('\n'), {
    records,
    ceiling,
    memory: training.memory,
  });
  const out = args.flags.get('out') as string | undefined;
  if (out !== undefined) await writeAtomic(out, chromeTrace(records));
  return 0;
}
