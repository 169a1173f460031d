import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { FormatError } from '../core/errors.js';

const PICTURE = /\.(jpe?g|png|webp)$/i;

/**
 * The pictures (jpg, jpeg, png, webp) under `folder` and its sub-folders as paths relative to it
 * with forward slashes, sorted by character code: the same on every machine. Names that begin
 * with a dot are passed over; links are followed, but no folder into itself.
 */
export async function listPictures(folder: string): Promise<string[]> {
  const found: string[] = [];
  await walk(folder, '', found, new Set());
  if (sep !== '/') for (let i = 0; i < found.length; i++) found[i] = found[i].split(sep).join('/');
  return found.sort();
}

async function walk(root: string, inside: string, found: string[], above: ReadonlySet<string>): Promise<void> {
  const here = join(root, inside);
  const real = await realpath(here).catch((e: Error) => unreadable(here, e));
  if (above.has(real)) return;
  const entries = await readdir(here, { withFileTypes: true }).catch((e: Error) => unreadable(here, e));
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const name = join(inside, entry.name);
    const kind = entry.isSymbolicLink() ? await stat(join(root, name)).catch(() => undefined) : entry;
    if (kind?.isDirectory()) await walk(root, name, found, new Set([...above, real]));
    else if (kind?.isFile() && PICTURE.test(entry.name)) found.push(name);
  }
}

function unreadable(folder: string, cause: Error): never {
  throw new FormatError(`${folder}: the folder must be readable; got '${cause.message}'. Check the path and its permissions.`);
}
