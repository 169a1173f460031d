import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../core/errors.js';
import { openPictures } from '../data/open.node.js';
import { type Pictures, splitHeldOut } from '../data/pictures.js';
import type { PretrainConfig } from '../moco/config.js';
import type { EncoderFile } from '../moco/encoder.js';
import { openEncoder } from '../moco/encoder.node.js';
import { openRun } from '../moco/run.node.js';
import type { Flag, Parsed } from './args.js';
import { adapterFlag, commonFlags, headsFlag, headsOf, type Output } from './common.js';
import { openRunPictures } from './run-pictures.js';

/** Flags of the commands that measure an encoder on pictures with classes. */
export const labelledFlags: readonly Flag[] = [
  { name: 'test', kind: 'text', help: 'measure on these pictures, and use all of DATA to learn from' },
  { name: 'held-out', kind: 'number', help: "part of DATA to measure on (the run's; else 0.2)" },
  { name: 'limit', kind: 'number', help: 'use at most so many pictures a class of DATA' },
  { name: 'size', kind: 'number', help: "pixels of a picture (the run's; else 224, or 32 for a small stem)" },
  { name: 'seed', kind: 'number', help: "seed of what is held out (the run's; else 1)" },
  headsFlag,
  adapterFlag,
  ...commonFlags,
];

/** An encoder, and pictures with classes to learn from and to measure on. */
export interface Labelled {
  /** The run's folder or the checkpoint. */
  from: string;
  encoder: EncoderFile;
  train: Pictures;
  heldOut: Pictures;
  /** Of the run, if it is one. */
  config?: PretrainConfig;
}

/** Opens RUN_OR_CHECKPOINT and DATA, without which a run's own pictures are taken, divided as they were. */
export async function openLabelled(command: string, { flags, positional }: Parsed, out: Output): Promise<Labelled> {
  const [from, data, ...more] = positional;
  if (from === undefined || more.length > 0)
    throw new ConfigError(`${command}: it takes a run or checkpoint, and pictures; got ${positional.length} names. Write dawngrad ${command} runs/photos.`);
  const run = existsSync(join(from, 'config.json')) ? openRun(from).info : undefined;
  if (!run && data === undefined)
    throw new ConfigError(`${command}: a checkpoint does not say what to measure it on; got no pictures. Write dawngrad ${command} ${from} photos.`);
  const encoder = await openEncoder(from, headsOf({ flags }));
  const size = (flags.get('size') as number | undefined) ?? encoder.normalisation.size;
  const seed = (flags.get('seed') as number | undefined) ?? run?.config.seed ?? 1;
  const all = data === undefined ? await openRunPictures(run!) : await openPictures(data, { views: size, limitPerClass: flags.get('limit') as number | undefined, seed });
  const part = (flags.get('held-out') as number | undefined) ?? (run?.config.heldOut || 0.2);
  const test = flags.get('test') as string | undefined;
  const apart = async (from: string) => ({ train: all, heldOut: await openPictures(from, { size: all.height, classes: all.classes }) });
  const { train, heldOut } = test === undefined ? splitHeldOut(all, part, seed) : await apart(test);
  if (!train.labels) throw new ConfigError(`${command}: pictures need classes to be measured by; got pictures without. Sort them into folders by class.`);
  if (heldOut.count === 0) throw new ConfigError(`${command}: some pictures must be held out; got ${part} of ${all.count}. Raise --held-out, or name others by --test.`);
  for (const warning of all.warnings ?? []) out.warn(warning);
  return { from, encoder: { ...encoder, normalisation: { ...encoder.normalisation, size } }, train, heldOut, config: run?.config };
}

/** Accuracy of guessing. */
export const chanceOf = ({ labels }: Pictures): number => 1 / new Set(labels).size;
