import { readFile, stat } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type Sharp from 'sharp';
import { ConfigError, FormatError } from '../core/errors.js';
import { listPictures } from './listing.node.js';
import { checkClasses, checkLimit, draw } from './pictures.js';
import type { Pictures, Skipped } from './pictures.js';
import { pool } from './pool.js';
import { decode, firstLine, forManyPictures, loadSharp } from './sharp.node.js';

/** Settings of `openFolder`. */
export interface FolderOptions {
  /** Height and width of the decoded pictures, in pixels; by default the pictures' own size if it is small, else 32. */
  size?: number;
  /**
   * Without `size`: pixels of the random views that will be cut out of the pictures. They are decoded at 8/7 of it
   * (256 for 224), at 64 at least, and no larger than the largest of the first pictures.
   */
  views?: number;
  /** Only these sub-folders, numbered in this order. */
  classes?: readonly string[];
  /** At most so many pictures of each class (of the folder if it has no classes), drawn by `seed`. */
  limitPerClass?: number;
  seed?: number;
  onProgress?: (done: number, total: number) => void;
}

interface Listing {
  names: string[];
  classes?: string[];
}

const FALLBACK_SIZE = 32;
const OWN_SIZE_LIMIT = 64; // pixels
const PROBED = 64; // pictures

/**
 * Decodes a folder of pictures with sharp. If every picture lies in a sub-folder, the first
 * sub-folder is its class; otherwise the set is unlabelled. Pictures that cannot be decoded are
 * listed in `skipped`. A missing or empty folder, or one without a readable picture, is a FormatError.
 */
export async function openFolder(folder: string, options: FolderOptions = {}): Promise<Pictures> {
  checkOptions(options);
  const listing = choose(await list(folder), options);
  const sharp = await loadSharp();
  return forManyPictures(sharp, async () => {
    const size = options.size ?? (await sizeOf(sharp, folder, listing.names, options.views));
    return decodeAll(sharp, folder, listing, size, options);
  });
}

function checkOptions({ size, views, limitPerClass }: FolderOptions): void {
  for (const pixels of [size, views])
    if (pixels !== undefined && !(Number.isInteger(pixels) && pixels >= 1 && pixels <= 4096))
      throw new ConfigError(`openFolder: the size is a whole number of pixels in [1, 4096]; got ${pixels}. Use 32 for small pictures.`);
  if (limitPerClass !== undefined) checkLimit('openFolder', limitPerClass);
}

async function list(folder: string): Promise<Listing> {
  const found = await stat(folder).catch(() => undefined);
  if (!found) throw new FormatError(`${folder}: the folder of pictures must exist; got nothing there. Check the path.`);
  if (!found.isDirectory()) throw new FormatError(`${folder}: pictures are read from a folder; got a file. Name the folder it lies in.`);
  const names = await listPictures(folder);
  if (names.length === 0)
    throw new FormatError(`${folder}: a folder of pictures holds .jpg, .jpeg, .png or .webp files; got none. Check the path.`);
  if (names.some((name) => !name.includes('/'))) return { names };
  return { names, classes: [...new Set(names.map(classOf))] };
}

const classOf = (name: string): string => name.slice(0, name.indexOf('/'));

/** Applies `classes` and `limitPerClass` before anything is decoded. */
function choose(all: Listing, { classes, limitPerClass, seed = 0 }: FolderOptions): Listing {
  if (classes) checkClasses('openFolder', all.classes ?? [], classes);
  const kept = classes ?? all.classes;
  const groups = new Map<string, string[]>((kept ?? ['']).map((c) => [c, []]));
  for (const name of all.names) groups.get(kept ? classOf(name) : '')?.push(name);
  const names = [...groups.values()].flatMap((group, c) => draw(group, limitPerClass ?? Infinity, seed, 'limitPerClass', c));
  return { names, ...(kept && { classes: [...kept] }) };
}

/** At what size the pictures are decoded where it is not said, by the shorter sides of the first of them. */
async function sizeOf(sharp: typeof Sharp, folder: string, names: string[], views?: number): Promise<number> {
  const probed = await Promise.all(names.slice(0, PROBED).map((name) => sharp(join(folder, name)).metadata().catch(() => undefined)));
  const found = probed.filter((meta) => meta !== undefined); // the others are reported when they are decoded
  const sides = found.map(({ width, height }) => Math.min(width, height));
  const own = Math.max(0, ...sides);
  if (views !== undefined && own > 0) return Math.min(own, Math.max(OWN_SIZE_LIMIT, Math.ceil((views * 8) / 7)));
  const alike = found.every(({ width, height }) => width === own && height === own);
  return alike && own > 0 && own <= OWN_SIZE_LIMIT ? own : FALLBACK_SIZE;
}

async function decodeAll(sharp: typeof Sharp, folder: string, listing: Listing, size: number, options: FolderOptions): Promise<Pictures> {
  const { names } = listing;
  const bytes = size * size * 3;
  const data = allocate(folder, names.length, bytes);
  const failed = new Map<number, string>();
  let done = 0;
  await pool(names.length, 2 * Math.max(2, cpus().length), async (i) => {
    try {
      data.set(await decode(sharp, await readFile(join(folder, names[i])), size), i * bytes);
    } catch (error) {
      failed.set(i, firstLine(error));
    }
    options.onProgress?.(++done, names.length);
  });
  return gather(folder, listing, data, size, failed);
}

function allocate(folder: string, count: number, bytes: number): Uint8Array {
  try {
    return new Uint8Array(count * bytes);
  } catch {
    throw new ConfigError(
      `${folder}: the decoded pictures must fit into memory; got ${count} pictures, ${((count * bytes) / 2 ** 30).toFixed(1)} GiB. ` +
        'Choose a smaller size, fewer classes or a limit per class.',
    );
  }
}

/** Closes the gaps that failed pictures left, and labels the rest. */
function gather(folder: string, { names, classes }: Listing, data: Uint8Array, size: number, failed: Map<number, string>): Pictures {
  const kept = [...names.keys()].filter((i) => !failed.has(i));
  const skipped: Skipped[] = [...failed.keys()].sort((a, b) => a - b).map((i) => ({ name: names[i], reason: failed.get(i)! }));
  if (kept.length === 0)
    throw new FormatError(
      `${folder}: at least one picture must be readable; got ${names.length} that are not, the first ${skipped[0].name}: '${skipped[0].reason}'. Are they really pictures?`,
    );
  const bytes = size * size * 3;
  kept.forEach((from, to) => data.copyWithin(to * bytes, from * bytes, (from + 1) * bytes));
  const labels = classes && Uint32Array.from(kept, (i) => classes.indexOf(classOf(names[i])));
  const warning = tooHigh(folder, names, classes);
  return {
    ...(warning && { warnings: [warning] }),
    data: data.subarray(0, kept.length * bytes), count: kept.length, height: size, width: size,
    names: kept.map((i) => names[i]), skipped, ...(classes && { labels, classes }),
  };
}

/** A warning where the only class holds folders, which look like the classes that were meant. */
function tooHigh(folder: string, names: string[], classes?: string[]): string | undefined {
  if (classes?.length !== 1) return undefined;
  const deeper = [...new Set(names.flatMap((name) => name.split('/').slice(1, -1).slice(0, 1)))];
  if (deeper.length === 0) return undefined;
  const inside = join(folder, classes[0]);
  return `${folder}: all its pictures lie in ${classes[0]}, so they have one class; got folders inside it, ${deeper.slice(0, 3).join(', ')}${deeper.length > 3 ? ' and others' : ''}. If those are the classes, open ${inside}.`;
}
