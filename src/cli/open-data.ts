import { freemem } from 'node:os';
import { resolve } from 'node:path';
import type { Backend } from '../backend/backend.js';
import { binary } from '../core/numbers.js';
import { type OpenOptions, openSource } from '../data/open-pictures.node.js';
import { bytesOf, inMemory, ofManyShapes, type PictureSource } from '../data/picture-source.js';
import { SYNTHETIC } from '../data/synthetic.js';
import { EMBEDDED } from '../eval/embed.js';
import { damagedText } from '../eval/monitors.js';
import { AHEAD } from '../input/look-ahead.js';
import type { Parsed } from './args.js';
import type { Output } from './output.js';
import { logPictures } from './picture-warnings.js';

/** The data that a word of the command line names: an absolute path, or synthetic pictures, as where there is none. */
export const pathOf = (word: string = SYNTHETIC): string => (word === SYNTHETIC ? word : resolve(word));

/** Milliseconds between words on a large set that is being opened. */
const EVERY = 10_000;

/**
 * Whether pictures are streamed, if that is asked for, how much memory they may take up if not, and how far ahead they
 * are decoded.
 */
export interface Loading {
  stream?: boolean;
  room: { bytes: number; of: string };
  ahead: number;
}

/** What the flags ask for, and what there is room for. */
export function loadingOf({ flags }: Pick<Parsed, 'flags'>, on: Backend): Loading {
  const ahead = (flags.get('ahead') as number | undefined) ?? AHEAD;
  return {
    ...(flags.has('stream') && { stream: true }),
    ...(flags.has('no-stream') && { stream: false }),
    room: roomOn(on),
    ahead,
  };
}

/**
 * A third of free memory, since pictures are there three times: decoded, divided, and on their way to the device, where
 * they are one buffer.
 */
function roomOn(on: Backend): Loading['room'] {
  const free = process.availableMemory?.() ?? freemem(); // Node 20.0 to 20.12 has no such function
  const memory = { bytes: Math.floor(free / 3), of: 'a third of free memory' };
  const { largest = Infinity } = on;
  return largest < memory.bytes ? { bytes: largest, of: "the device's largest buffer" } : memory;
}

/** Opens a data set, in memory or streamed; `log` gets its progress where that takes long. */
export async function openData(
  data: string,
  options: OpenOptions,
  { stream, room }: Loading,
  log: (text: string) => void,
): Promise<PictureSource> {
  let logged = Date.now();
  const onProgress = (done: number, total: number) => {
    if (Date.now() - logged < EVERY) return;
    logged = Date.now();
    log(`Opened ${done} of ${total} files.`);
  };
  return openSource(data, { ...options, stream, room: room.bytes, onProgress });
}

/**
 * Why pictures are streamed, and how many are in memory at most, while steps run and while features are measured;
 * nothing if they are not.
 */
export function streamedText(
  pictures: PictureSource,
  { stream, room, ahead }: Loading,
  most: number,
  measuring?: number,
): string | undefined {
  if (inMemory(pictures)) return undefined;
  const bytes = pictures.height * pictures.width * 3; // of one at most
  const why = stream
    ? ''
    : `Decoded at once they would take ${ofManyShapes(pictures) ? 'up to ' : ''}${binary(bytesOf(pictures))}, ` +
      `more than ${room.of} (${binary(room.bytes)}). `;
  const also = measuring === undefined ? '' : `, ${binary(measuring * bytes)} while features are measured`;
  return `${why}They are decoded as steps need them, ${ahead} ahead: ${binary(most * bytes)} at most${also}.`;
}

/** The pictures of a command that measures. What looks wrong is logged, and of streamed ones each that is damaged. */
export function measured<S extends PictureSource>(pictures: S, loading: Loading, out: Output, batch = EMBEDDED): S {
  logPictures(pictures, out);
  if (inMemory(pictures)) return pictures;
  out.log(streamedText(pictures, loading, (loading.ahead + 1) * batch)!);
  const { load, skipped } = pictures;
  let logged = skipped.length;
  const telling: typeof load = async (...asked) => {
    const data = await load(...asked);
    for (; logged < skipped.length; logged++) out.warn(damagedText(skipped[logged]));
    return data;
  };
  return { ...pictures, load: telling };
}
