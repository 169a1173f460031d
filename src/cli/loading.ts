import { freemem } from 'node:os';
import type { Backend } from '../backend/backend.js';
import { ConfigError } from '../core/errors.js';
import { AHEAD, checkAhead } from '../input/look-ahead.js';
import { type OpenOptions, openSource } from '../data/open.node.js';
import { alignClasses } from '../data/classes.js';
import { drawPictures } from '../data/synthetic.js';
import { bytesOf, inMemory, ofManyShapes, type PictureSet, type PictureSource } from '../data/picture-source.js';
import type { RunInfo } from '../train/run.node.js';
import { binary } from '../core/numbers.js';
import { EMBEDDED } from '../eval/embed.js';
import { damagedText } from '../eval/monitors.js';
import type { Flag, Parsed } from './args.js';
import type { Output } from './common.js';

/** Flags of every command that streams pictures; `loadingOf` takes their values. */
export const loadingFlags: readonly Flag[] = [
  { name: 'stream', kind: 'switch', help: 'decode pictures as steps need them (as is done where they would not fit into memory)' },
  { name: 'no-stream', kind: 'switch', help: 'decode all pictures first and keep them on the device' },
  { name: 'ahead', kind: 'number', help: `steps whose pictures are decoded before their turn (${AHEAD})` },
];

/** Milliseconds between words on a large set that is being opened. */
const EVERY = 10_000;

/** Whether pictures are streamed, if that is said, how much memory they may take up if not, and how far ahead they are decoded. */
export interface Loading {
  stream?: boolean;
  room: { bytes: number; of: string };
  ahead: number;
}

/** What the flags ask for, and what there is room for. @throws ConfigError for --stream and --no-stream at once, or an impossible --ahead. */
export function loadingOf({ flags }: Pick<Parsed, 'flags'>, on: Backend): Loading {
  if (flags.has('stream') && flags.has('no-stream')) throw new ConfigError('--stream: it and --no-stream exclude each other; got both. Leave one out.');
  const ahead = (flags.get('ahead') as number | undefined) ?? AHEAD;
  checkAhead(ahead);
  return { ...(flags.has('stream') && { stream: true }), ...(flags.has('no-stream') && { stream: false }), room: roomOn(on), ahead };
}

/** A third of free memory, since pictures are there three times: decoded, divided, and on their way to the device, where they are one buffer. */
function roomOn(on: Backend): Loading['room'] {
  const free = process.availableMemory?.() ?? freemem(); // Node 20.0 to 20.12 has no such function
  const memory = { bytes: Math.floor(free / 3), of: 'a third of free memory' };
  const { largest = Infinity } = on;
  return largest < memory.bytes ? { bytes: largest, of: "the device's largest buffer" } : memory;
}

/** Opens a data set, in memory or streamed; `tell` hears of its progress where that takes long. */
export async function openData(data: string, options: OpenOptions, { stream, room }: Loading, tell: (text: string) => void): Promise<PictureSource> {
  let told = Date.now();
  const onProgress = (done: number, total: number) => {
    if (Date.now() - told < EVERY) return;
    told = Date.now();
    tell(`Opened ${done} of ${total} files.`);
  };
  const { size, views, cropMin, classes, limitPerClass, seed } = options; // what was chosen of drawn pictures may stand beside
  return openSource(data, { size, views, cropMin, classes, limitPerClass, seed, stream, room: room.bytes, onProgress });
}

/** Why pictures are streamed, and how many are in memory at most, while steps run and while features are measured; nothing if they are not. */
export function streamedText(pictures: PictureSource, { stream, room, ahead }: Loading, most: number, measuring?: number): string | undefined {
  if (inMemory(pictures)) return undefined;
  const bytes = pictures.height * pictures.width * 3; // of one at most
  const why = stream ? '' : `Decoded at once they would take ${ofManyShapes(pictures) ? 'up to ' : ''}${binary(bytesOf(pictures))}, more than ${room.of} (${binary(room.bytes)}). `;
  const also = measuring === undefined ? '' : `, ${binary(measuring * bytes)} while features are measured`;
  return `${why}They are decoded as steps need them, ${ahead} ahead: ${binary(most * bytes)} at most${also}.`;
}

/** The pictures of a command that measures, told of: see `tellPictures`, that they are streamed, and later, of those, each that is damaged. */
export function measured<S extends PictureSource>(pictures: S, loading: Loading, out: Output, batch = EMBEDDED): S {
  tellPictures(pictures, out);
  if (inMemory(pictures)) return pictures;
  out.tell(streamedText(pictures, loading, (loading.ahead + 1) * batch)!);
  const { load, skipped } = pictures;
  let told = skipped.length;
  const telling: typeof load = async (...asked) => {
    const data = await load(...asked);
    for (; told < skipped.length; told++) out.warn(damagedText(skipped[told]));
    return data;
  };
  return { ...pictures, load: telling };
}

type Planned = Pick<RunInfo, 'data' | 'choice' | 'config'>;

/**
 * The pictures of a run, held-out ones too, in memory or streamed: to be evaluated in views of `size` (the run's), or with
 * `cropMin` large enough to cut random views out of them.
 */
export async function openRunSource(
  { data, choice, config }: Planned, loading: Loading, tell: (text: string) => void, { size = config.size, cropMin }: { size?: number; cropMin?: number } = {},
): Promise<PictureSource> {
  const { seed } = config;
  if (data !== 'drawn') return openData(data, { ...choice, seed, views: size, cropMin }, loading, tell);
  if (loading.stream) throw new ConfigError('--stream: only folders of pictures are streamed; got drawn pictures, which are made in memory. Leave it out, or name a folder.');
  return drawPictures({ count: choice.count!, size: config.size, seed });
}

/** A set to measure on, its labels numbered as those that are trained on; what does not agree is told. */
export function alignedTo<S extends PictureSource>(train: PictureSet, test: S, out: Output): S {
  const { test: aligned, warnings } = alignClasses(train, test);
  for (const warning of warnings) out.warn(warning);
  return aligned;
}

const NAMED = 5; // files

/** What every command tells of the pictures it read: what looks wrong with them, and which files were left out and why. */
export function tellPictures({ warnings = [], skipped, count }: PictureSet, out: Output): void {
  for (const warning of warnings) out.warn(warning);
  if (skipped.length === 0) return;
  const named = skipped.slice(0, out.verbose ? undefined : NAMED).map(({ name, reason }) => `\n  ${name}: ${reason}`);
  const more = skipped.length > named.length ? `\n  and ${skipped.length - named.length} more (--verbose names all)` : '';
  out.warn(`${skipped.length} of ${count + skipped.length} pictures cannot be read and are left out:${named.join('')}${more}`);
}

/** How large pictures are: 400×300, or at most how many pixels where their shapes differ. */
export function sizeText(pictures: PictureSource): string {
  const { height, width } = pictures;
  if (!ofManyShapes(pictures)) return `${width}×${height}`;
  const places = inMemory(pictures) ? pictures.places! : new Uint32Array(0);
  const [, h, w] = places;
  const alike = places.length > 0 && places.every((v, at) => at % 3 === 0 || v === (at % 3 === 1 ? h : w));
  return alike ? `${w}×${h}` : `different shapes, ${width}×${height} pixels at most`;
}
