import { readFile, stat } from 'node:fs/promises';
import type Sharp from 'sharp';
import { callable, finite, listOf, text, whole } from '../core/check.js';
import { ConfigError, FormatError } from '../core/errors.js';
import { pathOf } from './file-names.node.js';
import { classOf, endings, folderWarnings } from './folder-warnings.js';
import { type Framing, forCrops, forEvaluation, squares } from './framing.js';
import { type Listed, listPictures } from './listing.node.js';
import { checkClasses, checkLimit, draw } from './pictures.js';
import { loadSharp, shapeOf } from './sharp.node.js';

/** Settings of `openFolder`. */
export interface FolderOptions {
  /**
   * Pixels of a side: every picture becomes the square in its middle, scaled to it. 32 where `views` is not given
   * either.
   */
  size?: number;
  /**
   * Without `size`: pixels of the views that are made of the pictures, which keep their shapes. See `forEvaluation`,
   * and with `cropMin` `forCrops`.
   */
  views?: number;
  /** The smallest part of a picture that random views show. Without it, pictures are opened to be evaluated. */
  cropMin?: number;
  /** Only these sub-folders, numbered in this order. */
  classes?: readonly string[];
  /** At most so many pictures of each class (of the folder if it has no classes), sampled by `seed`. */
  limitPerClass?: number;
  seed?: number;
  /** Called after each picture that has been decoded, or looked at where they are streamed. */
  onProgress?: (done: number, total: number) => void;
}

const pixels = whole(1, 4096);
/** What each option must be. */
export const folderRules = {
  size: pixels,
  views: pixels,
  cropMin: finite(' in (0, 1]', (v) => v > 0 && v <= 1),
  classes: listOf(text),
  limitPerClass: whole(1),
  seed: whole(-Number.MAX_SAFE_INTEGER),
  onProgress: callable,
};

interface Chosen {
  names: string[];
  classes?: string[];
}

/** A folder of pictures before any of them is decoded. */
export interface FolderPlan extends Chosen {
  folder: string;
  framing: Framing;
  sharp: typeof Sharp;
  warnings: string[];
}

const SIZE = 32; // pixels, by default
const PROBED = 64; // pictures

/**
 * Lists a folder of pictures and chooses among them. If every picture lies in a sub-folder, the first sub-folder is its
 * class. A missing or empty folder is a FormatError.
 */
export async function planFolder(folder: string, options: FolderOptions): Promise<FolderPlan> {
  checkOptions(options);
  const listed = await list(folder);
  const { pictures } = listed;
  const classes = pictures.some((name) => !name.includes('/')) ? undefined : [...new Set(pictures.map(classOf))];
  const chosen = choose(pictures, classes, options);
  const warnings = folderWarnings({ folder, ...within(listed, options.classes), classes: chosen.classes });
  return { folder, ...chosen, framing: framingOf(options), sharp: await loadSharp(), warnings };
}

/** The class of each picture, as a place in `classes`. */
export function labelsOf(names: readonly string[], classes: readonly string[]): Uint32Array {
  const places = new Map(classes.map((name, i) => [name, i]));
  const labels = new Uint32Array(names.length);
  for (let i = 0; i < names.length; i++) labels[i] = places.get(classOf(names[i]))!;
  return labels;
}

/** About how many bytes the pictures take up once they are decoded, by the headers of some of them. */
export async function decodedBytes({ folder, names, framing, sharp }: FolderPlan): Promise<number> {
  if (framing.square) return names.length * framing.side ** 2 * 3;
  const probed = Array.from(
    { length: Math.min(PROBED, names.length) },
    (_, i) => names[Math.floor((i * names.length) / Math.min(PROBED, names.length))],
  );
  const shapes = await Promise.all(probed.map((name) => headerOf(sharp, folder, name).catch(() => undefined)));
  const pixels = shapes
    .flatMap((shape) => (shape ? [framing.of(shape).keep] : []))
    .map(({ height, width }) => height * width);
  return (names.length * 3 * pixels.reduce((a, b) => a + b, 0)) / Math.max(1, pixels.length);
}

/** Height and width of a picture by its header. */
async function headerOf(sharp: typeof Sharp, folder: string, name: string): ReturnType<typeof shapeOf> {
  const path = pathOf(folder, name);
  return shapeOf(sharp(typeof path === 'string' ? path : await readFile(path)));
}

function checkOptions({ size, views, cropMin, limitPerClass }: FolderOptions): void {
  for (const pixels of [size, views])
    if (pixels !== undefined && !(Number.isInteger(pixels) && pixels >= 1 && pixels <= 4096))
      throw new ConfigError(
        `openFolder: the size must be a whole number of pixels in [1, 4096]; got ${pixels}. Use 32 for small pictures.`,
      );
  if (cropMin !== undefined && !(cropMin > 0 && cropMin <= 1))
    throw new ConfigError(`openFolder: cropMin must be in (0, 1]; got ${cropMin}. MoCo uses 0.2.`);
  if (limitPerClass !== undefined) checkLimit('openFolder', limitPerClass);
}

function framingOf({ size, views, cropMin }: FolderOptions): Framing {
  if (size !== undefined || views === undefined) return squares(size ?? SIZE);
  return cropMin === undefined ? forEvaluation(views) : forCrops(views, cropMin);
}

async function list(folder: string): Promise<Listed> {
  const found = await stat(folder).catch(() => undefined);
  if (!found) throw new FormatError(`${folder}: the folder of pictures must exist; got nothing there. Check the path.`);
  if (!found.isDirectory())
    throw new FormatError(`${folder}: pictures are read from a folder; got a file. Name the folder it lies in.`);
  const listed = await listPictures(folder);
  if (listed.pictures.length > 0) return listed;
  const others = endings(listed.unread);
  throw new FormatError(
    `${folder}: a folder of pictures must hold .jpg, .jpeg, .png or .webp files; got ${others || 'none'}. ` +
      `${others ? 'Convert them.' : 'Check the path.'}`,
  );
}

/** What lies in some of the folders. */
function within({ pictures, unread, folders }: Listed, classes?: readonly string[]): Listed {
  if (!classes) return { pictures, unread, folders };
  const inside = (names: string[]) => names.filter((name) => classes.includes(classOf(name)));
  return {
    pictures: inside(pictures),
    unread: inside(unread),
    folders: folders.filter((name) => classes.includes(name)),
  };
}

/** Applies `classes` and `limitPerClass` before anything is decoded. */
function choose(
  pictures: readonly string[],
  all: string[] | undefined,
  { classes, limitPerClass, seed = 0 }: FolderOptions,
): Chosen {
  if (classes) checkClasses('openFolder', all ?? [], classes);
  const used = classes ?? all;
  const groups = new Map<string, string[]>((used ?? ['']).map((c) => [c, []]));
  for (const name of pictures) groups.get(used ? classOf(name) : '')?.push(name);
  const names = [...groups.values()].flatMap((group, c) =>
    draw(group, limitPerClass ?? Infinity, seed, 'limitPerClass', c),
  );
  return { names, ...(used && { classes: [...used] }) };
}
