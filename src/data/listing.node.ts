import { readdir, realpath, stat } from 'node:fs/promises';
import { FormatError } from '../core/errors.js';
import { nameOf, pathOf } from './file-names.node.js';

const READ = /\.(jpe?g|jpe|jfif|png|webp)$/i;
const unread =
  'heic|heif|hif|avif|tiff?|gif|bmp|dib|jp2|j2k|jxl|svg|psd|ico|tga|p[bgpn]m|exr|hdr|dng|cr[23w]|nef|arw|orf|rw2|' +
  'raf|raw';
const UNREAD = new RegExp(`\\.(${unread})$`, 'i');
/** Folders that systems and programs keep beside pictures; names that begin with a dot are passed over too. */
const OF_SYSTEMS =
  /^(@eaDir|__MACOSX|#recycle|@Recycle|@Recently-Snapshot|\$RECYCLE\.BIN|System Volume Information|lost\+found)$/i;

/**
 * What lies in a folder, as paths relative to it with forward slashes, sorted by character code: the same on every
 * machine.
 */
export interface Listed {
  /** JPEG, PNG and WebP pictures by their names. */
  pictures: string[];
  /** Pictures of other formats. */
  unread: string[];
  /** The folders directly in it. */
  folders: string[];
}

/**
 * Lists the pictures under `folder` and its sub-folders. Names that begin with a dot and what systems keep beside
 * pictures (`@eaDir`, `__MACOSX` and their like) are passed over; links are followed, but no folder into itself.
 */
export async function listPictures(folder: string): Promise<Listed> {
  const found: Listed = { pictures: [], unread: [], folders: [] };
  await walk(folder, '', found, new Set());
  for (const names of Object.values(found) as string[][]) names.sort();
  return found;
}

async function walk(root: string, inside: string, found: Listed, above: ReadonlySet<string>): Promise<void> {
  const here = pathOf(root, inside);
  const real = (await realpath(here, { encoding: 'buffer' }).catch((e: Error) => unreadable(here, e))).toString(
    'latin1',
  );
  if (above.has(real)) return;
  const entries = await readdir(here, { withFileTypes: true, encoding: 'buffer' }).catch((e: Error) =>
    unreadable(here, e),
  );
  const inner = new Set([...above, real]);
  for (const entry of entries) {
    const own = nameOf(entry.name);
    if (own.startsWith('.') || OF_SYSTEMS.test(own)) continue;
    const name = inside ? `${inside}/${own}` : own;
    const kind = entry.isSymbolicLink() ? await stat(pathOf(root, name)).catch(() => undefined) : entry;
    if (kind?.isDirectory()) {
      if (!inside) found.folders.push(name);
      await walk(root, name, found, inner);
    } else if (kind?.isFile()) {
      if (READ.test(own)) found.pictures.push(name);
      else if (UNREAD.test(own)) found.unread.push(name);
    }
  }
}

function unreadable(folder: string | Buffer, cause: Error): never {
  throw new FormatError(
    `${String(folder)}: the folder must be readable; got '${cause.message}'. Check the path and its permissions.`,
  );
}
