import { join, resolve } from 'node:path';
import { ConfigError } from '../core/errors.js';
import { drawPictures } from '../data/synthetic.js';
import { openPictures } from '../data/open.node.js';
import { splitHeldOut } from '../data/pictures.js';
import type { Pictures } from '../data/picture-source.js';
import { writeAtomic } from '../io/atomic.node.js';
import { demoConfig } from '../moco/config.js';
import type { Made } from '../studies/four-way-report.js';
import { KeptInFolder } from '../studies/cache.node.js';
import { describeFlags, type Flag, type Parsed } from './args.js';
import { checkData } from './checks.js';
import type { Call, Command, Group } from './command.js';
import { adapterFlag, commonFlags, openDevice, Output, whereabouts } from './common.js';
import { fourWayCommand } from './four-way.js';
import { mechanismsCommand } from './mechanisms.js';
import type { Experiment, Setting } from './study.js';
import { tellPictures } from './loading.js';

const experiments: Record<string, Experiment> = { 'four-way': fourWayCommand, mechanisms: mechanismsCommand };

const shared: readonly Flag[] = [
  { name: 'classes', kind: 'list', help: 'use these classes (sub-folders) only' },
  { name: 'limit', kind: 'number', help: 'use at most so many pictures a class' },
  { name: 'count', kind: 'number', help: 'pictures to draw when there is no data (600)' },
  { name: 'held-out', kind: 'number', help: 'part of the pictures kept to measure accuracy (0.25)' },
  { name: 'size', kind: 'number', help: 'pixels of a picture (32)' },
  { name: 'seeds', kind: 'number', help: 'how often each training is repeated' },
  { name: 'seed', kind: 'number', help: 'seed of the first (1)' },
  { name: 'out', kind: 'text', help: 'folder of the report; rerun with the same flags to go on (runs/ and the name)' },
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
  commands: Object.fromEntries(Object.entries(experiments).map(([name, { help, flags, ...chosen }]): [string, Command] => [name, {
    flags: [...flags, ...shared],
    help: `${help}\n\n${describeFlags(flags)}\n\nThe pictures and the run\n${describeFlags(shared)}`,
    run: (args, call) => runExperiment(name, chosen, args, call),
  }])),
};

type Chosen = Pick<Experiment, 'config' | 'run'>;

async function runExperiment(name: string, chosen: Chosen, args: Parsed, call: Call): Promise<number> {
  const output = new Output(args);
  const out = (args.flags.get('out') as string | undefined) ?? join('runs', name);
  const setting = await settingOf(chosen, args, output, out, call);
  const { results, html, text } = await chosen.run(args, setting);
  await writeAtomic(join(out, 'results.json'), `${JSON.stringify({ ...setting.made, pictures: setting.pictures, results }, null, 2)}\n`);
  await writeAtomic(join(out, 'report.html'), html);
  const report = join(out, 'report.html');
  output.result(`${text}\nReport: ${report} (results.json beside it)`, { pictures: setting.pictures, results, report });
  return 0;
}

async function settingOf(chosen: Chosen, args: Parsed, output: Output, out: string, { version, command }: Call): Promise<Setting> {
  const { flags, positional } = args;
  if (positional.length > 1) throw new ConfigError(`experiment: one data set is used; got ${positional.join(' and ')}. Put the pictures in one folder.`);
  const tell = (text: string) => output.tell(text);
  const number = (name: string, otherwise: number) => (flags.get(name) as number | undefined) ?? otherwise;
  const [seed, size, heldOut] = [number('seed', 1), number('size', 32), number('held-out', 0.25)];
  const choice = { classes: flags.get('classes') as string[] | undefined, limitPerClass: flags.get('limit') as number | undefined, views: size, seed };
  const data = positional[0] === undefined ? 'drawn' : resolve(positional[0]);
  const count = number('count', 600);
  const config = chosen.config(args, size);
  checkData(data);
  const opened = await openDevice(args);
  tell(whereabouts(opened));
  const cropMin = Math.min((flags.get('crop-min') as number | undefined) ?? 1, demoConfig.cropMin);
  const all = data === 'drawn' ? drawPictures({ count, size, seed }) : await openPictures(data, { ...choice, cropMin });
  tellPictures(all, output);
  const sets = splitHeldOut(checked(all), heldOut, seed);
  if (sets.heldOut.count === 0) throw new ConfigError(`held-out: a picture at least is held out to measure accuracy; got ${heldOut} of ${all.count}. Use 0.25.`);
  const origin = data === 'drawn' ? 'drawn' : `from ${positional[0]}`;
  const pictures = `${sets.train.count} pictures to train on and ${sets.heldOut.count} held out, ${size}×${size}, of ${all.classes!.join(', ')}; ${origin}.`;
  tell(pictures);
  const about = { data, ...(data === 'drawn' ? { count } : choice), heldOut, seed, size };
  const made: Made = { command, adapter: opened.name, version, seed, config: { ...about, ...config } };
  return { sets, size, kept: new KeptInFolder(out, { ...about, adapter: opened.name, version }), made, pictures, tell };
}

function checked(all: Pictures): Pictures {
  if (!all.labels || (all.classes?.length ?? 0) < 2)
    throw new ConfigError('experiment: pictures of two classes at least are needed to measure accuracy; got fewer. Sort them into folders by class.');
  return all;
}
