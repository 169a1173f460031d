import { join } from 'node:path';
import { ConfigError } from '../core/errors.js';
import { openPictures } from '../data/open-pictures.node.js';
import type { Pictures } from '../data/picture-source.js';
import { splitHeldOut } from '../data/pictures.js';
import { SYNTHETIC } from '../data/synthetic.js';
import { writeAtomic } from '../io/atomic.node.js';
import { FolderCache } from '../studies/cache.node.js';
import type { Made } from '../studies/four-way-report.js';
import { describeFlags, type Flag, type Parsed } from './args.js';
import { checkData } from './check-flags.js';
import type { Call, Command, Group } from './command.js';
import type { Experiment, Setting } from './experiment-kind.js';
import { adapterFlag, commonFlags, sharedFlag } from './flags.js';
import { fourWayCommand } from './four-way.js';
import { mechanismsCommand } from './mechanisms.js';
import { pathOf } from './open-data.js';
import { openDevice, surviving, whereabouts } from './open-device.js';
import { Output } from './output.js';
import { logPictures } from './picture-warnings.js';

const experiments: Record<string, Experiment> = { 'four-way': fourWayCommand, mechanisms: mechanismsCommand };

const HELD_OUT = 0.25;
const COUNT = 600; // synthetic pictures

const shared: readonly Flag[] = [
  sharedFlag('classes'),
  sharedFlag('limit'),
  sharedFlag('count', { default: COUNT }),
  sharedFlag('held-out', { default: HELD_OUT, todo: `Use ${HELD_OUT}.` }),
  sharedFlag('out', {
    help: 'folder of the report; rerun with the same flags to go on',
    default: 'runs/ and the name',
  }),
  adapterFlag,
  ...commonFlags,
];

const overview = `dawngrad experiment NAME [DATA] [flags]

  four-way     a ResNet and a vision transformer, each from scratch and from MoCo, on a few classes
  mechanisms   end-to-end, memory bank and MoCo over the number of keys, and MoCo over its momentum

Each writes report.html and results.json, and keeps finished trainings in results.jsonl: run the same
command again to go on after an interruption. DATA is as for dawngrad pretrain; its folders are classes.
dawngrad experiment NAME --help tells its flags.

Examples
  dawngrad experiment four-way photos --seeds 3
  dawngrad experiment mechanisms --count 400 --out runs/study

${describeFlags(shared)}`;

/** `dawngrad experiment`. */
export const experiment: Group = {
  help: overview,
  commands: Object.fromEntries(
    Object.entries(experiments).map(([name, { help, flags, ...chosen }]): [string, Command] => [
      name,
      {
        flags: [...flags, ...shared],
        help: `${help}\n\n${describeFlags(flags)}\n\nThe pictures and the run\n${describeFlags(shared)}`,
        run: (args, call) => runExperiment(name, chosen, args, call),
      },
    ]),
  ),
};

type Chosen = Pick<Experiment, 'plan' | 'run'>;

async function runExperiment(name: string, chosen: Chosen, args: Parsed, call: Call): Promise<number> {
  const output = new Output(args);
  const out = (args.flags.get('out') as string | undefined) ?? join('runs', name);
  const setting = await settingOf(chosen, args, output, out, call);
  const { results, html, text } = await surviving(args, output, () => chosen.run(args, setting));
  await writeAtomic(
    join(out, 'results.json'),
    `${JSON.stringify({ ...setting.made, pictures: setting.pictures, results }, null, 2)}\n`,
  );
  await writeAtomic(join(out, 'report.html'), html);
  const report = join(out, 'report.html');
  output.result(`${text}\nReport: ${report} (results.json beside it)`, { pictures: setting.pictures, results, report });
  return 0;
}

async function settingOf(
  chosen: Chosen,
  args: Parsed,
  output: Output,
  out: string,
  { version, command }: Call,
): Promise<Setting> {
  const { flags, positional } = args;
  if (positional.length > 1)
    throw new ConfigError(
      `experiment: one data set is used; got ${positional.join(' and ')}. Put the pictures in one folder.`,
    );
  const log = (text: string) => output.log(text);
  const number = (name: string, otherwise: number) => (flags.get(name) as number | undefined) ?? otherwise;
  const { config, size, seed, cropMin } = chosen.plan(args);
  const heldOut = number('held-out', HELD_OUT);
  const choice = {
    classes: flags.get('classes') as string[] | undefined,
    limitPerClass: flags.get('limit') as number | undefined,
    views: size,
    seed,
  };
  const data = pathOf(positional[0]);
  const count = number('count', COUNT);
  checkData(data);
  const opened = await openDevice(args);
  log(whereabouts(opened));
  const all = await openPictures(data, { ...choice, ...(data === SYNTHETIC ? { count } : { cropMin }) });
  logPictures(all, output);
  const sets = dividedBy(all, heldOut, seed);
  const origin = data === SYNTHETIC ? SYNTHETIC : `from ${positional[0]}`;
  const pictures =
    `${sets.train.count} pictures to train on and ${sets.heldOut.count} held out, ${size}×${size}, ` +
    `of ${all.classes!.join(', ')}; ${origin}.`;
  log(pictures);
  const about = { data, ...choice, ...(data === SYNTHETIC && { count }), heldOut, seed, size };
  const made: Made = { command, adapter: opened.name, version, seed, config: { ...about, ...config } };
  return { sets, cache: new FolderCache(out, { ...about, adapter: opened.name, version }), made, pictures, log };
}

function dividedBy(all: Pictures, heldOut: number, seed: number): Setting['sets'] {
  const sets = splitHeldOut(checked(all), heldOut, seed);
  if (sets.heldOut.count > 0) return sets;
  throw new ConfigError(
    `held-out: a picture at least is held out to measure accuracy; got ${heldOut} of ${all.count}. Use ${HELD_OUT}.`,
  );
}

function checked(all: Pictures): Pictures {
  if (!all.labels || (all.classes?.length ?? 0) < 2)
    throw new ConfigError(
      'experiment: pictures of two classes at least are needed to measure accuracy; got fewer. ' +
        'Sort them into folders by class.',
    );
  return all;
}
