import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { callable, listOf, text, whole } from '../core/check.js';
import type Sharp from 'sharp';
import { ConfigError, FormatError } from '../core/errors.js';
import { listPictures } from './listing.node.js';
import { checkClasses, checkLimit, draw } from './pictures.js';
import { loadSharp } from './sharp.node.js';

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
  /** Told after each picture that has been decoded, or looked at where they are streamed. */
  onProgress?: (done: number, total: number) => void;
}

const pixels = whole(1, 4096);
/** What each option must be. */
export const folderRules = {
  size: pixels, views: pixels, classes: listOf(text), limitPerClass: whole(1), seed: whole(-Number.MAX_SAFE_INTEGER), onProgress: callable,
};

interface Listing {
  names: string[];
  classes?: string[];
}

/** A folder of pictures before any of them is decoded. */
export interface FolderPlan extends Listing {
  folder: string;
  /** Height and width that they are decoded at. */
  size: number;
  sharp: typeof Sharp;
  warnings?: string[];
}

const FALLBACK_SIZE = 32;
const OWN_SIZE_LIMIT = 64; // pixels
const PROBED = 64; // pictures

/**
 * Lists a folder of pictures, chooses among them, and looks at the first to tell their size. If every picture lies in a
 * sub-folder, the first sub-folder is its class. A missing or empty folder is a FormatError.
 */
export async function planFolder(folder: string, options: FolderOptions): Promise<FolderPlan> {
  checkOptions(options);
  const listing = choose(await list(folder), options);
  const sharp = await loadSharp();
  const size = options.size ?? (await sizeOf(sharp, folder, listing.names, options.views));
  const warning = tooHigh(folder, listing);
  return { folder, ...listing, size, sharp, ...(warning && { warnings: [warning] }) };
}

/** The class of each picture, as a place in `classes`. */
export function labelsOf(names: readonly string[], classes: readonly string[]): Uint32Array {
  const places = new Map(classes.map((name, i) => [name, i]));
  return Uint32Array.from(names, (name) => places.get(classOf(name))!);
}

function checkOptions({ size, views, limitPerClass }: FolderOptions): void {
  for (const pixels of [size, views])
    if (pixels !== undefined && !(Number.isInteger(pixels) && pixels >= 1 && pixels <= 4096))
      throw new ConfigError(`openFolder: the size must be a whole number of pixels in [1, 4096]; got ${pixels}. Use 32 for small pictures.`);
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

/** A warning where the only class holds folders, which look like the classes that were meant. */
function tooHigh(folder: string, { names, classes }: Listing): string | undefined {
  if (classes?.length !== 1) return undefined;
  const deeper = [...new Set(names.flatMap((name) => name.split('/').slice(1, -1).slice(0, 1)))];
  if (deeper.length === 0) return undefined;
  const inside = join(folder, classes[0]);
  return `${folder}: all its pictures lie in ${classes[0]}, so they have one class; got folders inside it, ${deeper.slice(0, 3).join(', ')}${deeper.length > 3 ? ' and others' : ''}. If those are the classes, open ${inside}.`;
}
