import { readdir, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { ConfigError, FormatError } from '../core/errors.js';
import { cifar10 } from './cifar-files.node.js';
import { decodeFolder } from './folder.node.js';
import { decodedBytes, planFolder } from './folder-plan.node.js';
import type { Format, OpenOptions, PicturePlan, Place } from './format.js';
import { idx } from './idx-files.node.js';
import { streamPlanned } from './stream-folder.node.js';
import { synthetic } from './synthetic-format.js';

const folder: Format = {
  name: 'folder',
  help: 'a folder of JPEG, PNG or WebP pictures (sub-folders are classes)',
  recognise: ({ kind, path }) => (kind === 'folder' ? [path] : undefined),
  async plan([path], options) {
    const plan = await planFolder(path, options);
    return {
      decodedBytes: () => decodedBytes(plan),
      open: () => decodeFolder(plan, options),
      stream: () => streamPlanned(plan, options),
    };
  },
};

/** Every format, a row each; the first that recognises a place reads it, and any folder is one of pictures. */
export const formats: readonly Format[] = [synthetic, cifar10, idx, folder];

/** What each format is, the commonest first. */
export const formatsHelp: readonly string[] = formats.map((f) => f.help).reverse();

/** What a path names, read from the file system. */
export async function placeOf(path: string): Promise<Place> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return { path, kind: 'nothing', names: [] };
  return found.isDirectory()
    ? { path, kind: 'folder', names: await readdir(path) }
    : { path, kind: 'file', names: [basename(path)] };
}

/**
 * Finds the format of a path.
 * @throws FormatError where nothing is there, or no format recognises it. ConfigError for an option of another format.
 */
export async function planPictures(path: string, { count, ...options }: OpenOptions): Promise<PicturePlan> {
  const place = await placeOf(path);
  for (const format of formats) {
    const files = format.recognise(place);
    if (!files) continue;
    if (count === undefined || format === synthetic) return format.plan(files, { ...options, count });
    throw new ConfigError(
      `${path}: a count must go with synthetic pictures; got ${count} for ${format.name}. Use a limit per class.`,
    );
  }
  if (place.kind === 'nothing')
    throw new FormatError(`${path}: the pictures must exist; got nothing there. Check the path.`);
  throw new FormatError(
    `${path}: pictures must be ${formatsHelp.join(', or ')}; got the file '${basename(path)}'. Name one of those.`,
  );
}
