import { ConfigError } from '../core/errors.js';
import { splitHeldOut } from '../data/pictures.js';
import type { PictureSet, PictureSource } from '../data/picture-source.js';
import type { PretrainConfig } from '../moco/config.js';
import { EMBEDDED } from '../eval/embed.js';
import type { EncoderFile } from '../checkpoints/encoder.js';
import { findRun } from '../train/run.node.js';
import type { Flag, Parsed } from './args.js';
import { checkData } from './checks.js';
import { adapterFlag, commonFlags, openDevice, type Output } from './common.js';
import { openTold, saidFlags } from './encoder.js';
import { alignedTo, type Loading, loadingFlags, loadingOf, measured, openData, openRunSource } from './loading.js';

/** Flags of the commands that measure an encoder on pictures with classes. */
export const labelledFlags: readonly Flag[] = [
  { name: 'test', kind: 'text', help: 'measure on these pictures, and use all of DATA to learn from' },
  { name: 'held-out', kind: 'number', help: "part of DATA to measure on (the run's; else 0.2)" },
  { name: 'limit', kind: 'number', help: 'use at most so many pictures a class of DATA' },
  { name: 'size', kind: 'number', help: "pixels of a picture (the run's; else 224, or 32 for a small stem)" },
  { name: 'seed', kind: 'number', help: "seed of what is held out (the run's; else 1)" },
  ...loadingFlags,
  ...saidFlags,
  adapterFlag,
  ...commonFlags,
];

/** An encoder, and pictures with classes to learn from and to measure on. */
export interface Labelled {
  /** The run's folder or the checkpoint. */
  from: string;
  encoder: EncoderFile;
  train: PictureSource;
  heldOut: PictureSource;
  /** Batches of streamed pictures to decode before their turn. */
  ahead: number;
  /** Of the run, if it is one. */
  config?: PretrainConfig;
}

/** How a command looks at pictures. */
export interface Looks {
  /** The largest batch of them. */
  batch?: (of: Measured) => number;
  /** The smallest part of a picture that a random crop of the training pictures shows, if there are any. */
  cropMin?: number;
}

/** What is known of an encoder before its pictures are opened. */
export type Measured = Pick<Labelled, 'encoder' | 'config'>;

/**
 * Opens RUN_OR_CHECKPOINT, the device and DATA, without which a run's own pictures are taken, divided as they were.
 */
export async function openLabelled(command: string, args: Parsed, out: Output, { batch = () => EMBEDDED, cropMin }: Looks = {}): Promise<Labelled> {
  const { flags, positional: [from, data, ...more] } = args;
  if (from === undefined || more.length > 0)
    throw new ConfigError(`${command}: it takes a run or checkpoint, and pictures; got ${args.positional.length} names. Write dawngrad ${command} runs/photos.`);
  const run = findRun(from)?.info;
  if (!run && data === undefined)
    throw new ConfigError(`${command}: a checkpoint does not say what to measure it on; got no pictures. Write dawngrad ${command} ${from} photos.`);
  const encoder = await openTold(from, args, out);
  const { size } = encoder.normalisation;
  const seed = (flags.get('seed') as number | undefined) ?? run?.config.seed ?? 1;
  const part = (flags.get('held-out') as number | undefined) ?? (run?.config.heldOut || 0.2);
  const ownTest = data === undefined && !flags.has('held-out') ? run?.test : undefined;
  const test = (flags.get('test') as string | undefined) ?? ownTest;
  checkData(data ?? run?.data, test);
  const most = batch({ encoder, config: run?.config });
  const on = await openDevice(args);
  const open = async (opened: (loading: Loading, tell: (text: string) => void) => Promise<PictureSource>) => {
    const loading = loadingOf(args, on); // anew for each set: what is in memory takes room from the next
    return measured(await opened(loading, (text) => out.tell(text)), loading, out, most);
  };
  const choice = { views: size, cropMin, limitPerClass: flags.get('limit') as number | undefined, seed };
  const all = await open((...how) => (data === undefined ? openRunSource(run!, ...how, { size, cropMin }) : openData(data, choice, ...how)));
  const tested = async (path: string) => ({ train: all, heldOut: alignedTo(all, await open((...how) => openData(path, { views: size }, ...how)), out) });
  const { train, heldOut } = test === undefined ? splitHeldOut(all, part, seed) : await tested(test);
  if (!train.labels) throw new ConfigError(`${command}: pictures need classes to be measured by; got pictures without. Sort them into folders by class.`);
  if (heldOut.count === 0) throw new ConfigError(`${command}: some pictures must be held out; got ${part} of ${all.count}. Raise --held-out, or name others by --test.`);
  return { from, encoder, train, heldOut, ahead: loadingOf(args, on).ahead, config: run?.config };
}

/** Accuracy of guessing. */
export const chanceOf = ({ labels }: PictureSet): number => 1 / new Set(labels).size;
