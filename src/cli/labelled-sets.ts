import type { EncoderFile } from '../checkpoints/encoder.js';
import { ConfigError } from '../core/errors.js';
import type { PictureSet, PictureSource } from '../data/picture-source.js';
import { splitHeldOut } from '../data/pictures.js';
import { EMBEDDED } from '../eval/embed.js';
import type { PretrainConfig } from '../moco/config.js';
import { findRun } from '../train/open-run.node.js';
import type { Flag, Parsed } from './args.js';
import { checkData } from './check-flags.js';
import { adapterFlag, commonFlags, encoderFlags, ownFlags, sharedFlag, streamFlags } from './flags.js';
import { type Loading, loadingOf, measured, openData } from './open-data.js';
import { openDevice } from './open-device.js';
import { openEncoderOf } from './open-encoder.js';
import type { Output } from './output.js';
import { alignedTo, openRunSource } from './run-pictures.js';

/** Flags of the commands that measure an encoder on pictures with classes. */
export const labelledFlags: readonly Flag[] = [
  ...ownFlags({ test: { kind: 'text', help: 'measure on these pictures, and use all of DATA to learn from' } }),
  sharedFlag('held-out', { help: 'part of DATA to measure on', default: "the run's; else 0.2" }),
  sharedFlag('limit', { help: 'use at most so many pictures a class of DATA' }),
  sharedFlag('size', { default: "the run's; else 224, or 32 for a small stem" }),
  sharedFlag('seed', { help: 'seed of what is held out', default: "the run's; else 1" }),
  ...streamFlags,
  ...encoderFlags,
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
export async function openLabelled(
  command: string,
  args: Parsed,
  out: Output,
  { batch = () => EMBEDDED, cropMin }: Looks = {},
): Promise<Labelled> {
  const { flags } = args;
  const { from, data, run } = namedBy(command, args);
  const encoder = await openEncoderOf(from, args, out);
  const { size } = encoder.normalisation;
  const seed = (flags.get('seed') as number | undefined) ?? run?.config.seed ?? 1;
  const part = (flags.get('held-out') as number | undefined) ?? (run?.config.heldOut || 0.2);
  const ownTest = data === undefined && !flags.has('held-out') ? run?.test : undefined;
  const test = (flags.get('test') as string | undefined) ?? ownTest;
  checkData(data ?? run?.data, test);
  const most = batch({ encoder, config: run?.config });
  const on = await openDevice(args);
  const open = async (opened: (loading: Loading, log: (text: string) => void) => Promise<PictureSource>) => {
    const loading = loadingOf(args, on); // anew for each set: what is in memory takes room from the next
    return measured(await opened(loading, (text) => out.log(text)), loading, out, most);
  };
  const choice = { views: size, cropMin, limitPerClass: flags.get('limit') as number | undefined, seed };
  const all = await open((...how) =>
    data === undefined ? openRunSource(run!, ...how, { size, cropMin }) : openData(data, choice, ...how),
  );
  const tested = async (path: string) => ({
    train: all,
    heldOut: alignedTo(all, await open((...how) => openData(path, { views: size }, ...how)), out),
  });
  const { train, heldOut } = test === undefined ? splitHeldOut(all, part, seed) : await tested(test);
  checkLabelled(command, train, heldOut, `${part} of ${all.count}`);
  return { from, encoder, train, heldOut, ahead: loadingOf(args, on).ahead, config: run?.config };
}

/** What the words of the command line name; where they name no pictures, a run. */
function namedBy(command: string, { positional }: Parsed) {
  const [from, data, ...more] = positional;
  if (from === undefined || more.length > 0)
    throw new ConfigError(
      `${command}: it takes a run or checkpoint, and pictures; got ${positional.length} names. ` +
        `Write dawngrad ${command} runs/photos.`,
    );
  const run = findRun(from)?.info;
  if (!run && data === undefined)
    throw new ConfigError(
      `${command}: a checkpoint does not say what to measure it on; got no pictures. ` +
        `Write dawngrad ${command} ${from} photos.`,
    );
  return { from, data, run };
}

function checkLabelled(command: string, train: PictureSource, heldOut: PictureSource, part: string): void {
  if (!train.labels)
    throw new ConfigError(
      `${command}: pictures need classes to be measured by; got pictures without. Sort them into folders by class.`,
    );
  if (heldOut.count === 0)
    throw new ConfigError(
      `${command}: some pictures must be held out; got ${part}. Raise --held-out, or name others by --test.`,
    );
}

/** Accuracy of guessing. */
export const chanceOf = ({ labels }: PictureSet): number => 1 / new Set(labels).size;
