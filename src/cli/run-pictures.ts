import { freemem } from 'node:os';
import type { Backend } from '../backend/backend.js';
import { GpuBackend } from '../backend/gpu.js';
import { ConfigError } from '../core/errors.js';
import { drawPictures } from '../data/drawn.js';
import { openPictures, openSource } from '../data/open.node.js';
import type { Pictures } from '../data/pictures.js';
import { inMemory, type PictureSource } from '../data/source.js';
import { binary } from '../io/numbers.js';
import { EMBEDDED } from '../moco/embed.js';
import type { RunInfo } from '../moco/run.node.js';
import type { Parsed } from './args.js';

/** Milliseconds between words on a large set that is being opened. */
const EVERY = 10_000;

type Planned = Pick<RunInfo, 'data' | 'choice' | 'config'>;

/** The pictures of a run in memory, held-out ones too, large enough to cut its views out of them. */
export async function openRunPictures({ data, choice, config: { size, seed } }: Planned): Promise<Pictures> {
  return data === 'drawn' ? drawPictures({ count: choice.count!, size, seed }) : openPictures(data, { ...choice, seed, views: size });
}

/** Whether pictures are streamed, if that is said, and how much memory they may take up if not. */
export interface Loading {
  stream?: boolean;
  room: { bytes: number; of: string };
}

/** What --stream and --no-stream ask for, and what there is room for. @throws ConfigError for both at once. */
export function loadingOf({ flags }: Pick<Parsed, 'flags'>, on: Backend): Loading {
  if (flags.has('stream') && flags.has('no-stream')) throw new ConfigError('--stream: it and --no-stream exclude each other; got both. Leave one out.');
  return { ...(flags.has('stream') && { stream: true }), ...(flags.has('no-stream') && { stream: false }), room: roomOn(on) };
}

/** A third of free memory, since pictures are there three times: decoded, divided, and on their way to the device, where they are one buffer. */
function roomOn(on: Backend): Loading['room'] {
  const free = process.availableMemory?.() ?? freemem(); // Node 20.0 to 20.12 has no such function
  const memory = { bytes: Math.floor(free / 3), of: 'a third of free memory' };
  if (!(on instanceof GpuBackend)) return memory;
  const { maxBufferSize, maxStorageBufferBindingSize } = on.gpu.device.limits;
  const buffer = { bytes: Math.min(maxBufferSize, maxStorageBufferBindingSize), of: "the device's largest buffer" };
  return buffer.bytes < memory.bytes ? buffer : memory;
}

/** The pictures of a run, in memory or streamed. */
export async function openRunSource(run: Planned, { stream, room }: Loading, tell: (text: string) => void): Promise<PictureSource> {
  let told = Date.now();
  const onProgress = (done: number, total: number) => {
    if (Date.now() - told < EVERY) return;
    told = Date.now();
    tell(`Opened ${done} of ${total} files.`);
  };
  if (run.data !== 'drawn') return openSource(run.data, { ...run.choice, seed: run.config.seed, views: run.config.size, stream, room: room.bytes, onProgress });
  if (stream) throw new ConfigError('--stream: only folders of pictures are streamed; got drawn pictures, which are made in memory. Leave it out, or name a folder.');
  return openRunPictures(run);
}

/** Why pictures are streamed, and what that takes; nothing if they are not. */
export function streamedText(pictures: PictureSource, { stream, room }: Loading, { batch }: RunInfo['config'], ahead: number): string | undefined {
  if (inMemory(pictures)) return undefined;
  const bytes = pictures.height * pictures.width * 3;
  const why = stream ? '' : `Decoded at once they would take ${binary(pictures.count * bytes)}, more than ${room.of} (${binary(room.bytes)}). `;
  const [training, evaluating] = [(ahead + 1) * batch, ahead * batch + (ahead + 1) * EMBEDDED];
  return `${why}They are decoded as steps need them, ${ahead} ahead: ${binary(training * bytes)} at most, ${binary(evaluating * bytes)} while features are measured.`;
}
