import { readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { ConfigError, FormatError } from '../core/errors.js';
import { forEachOf } from './concurrency.js';
import { pathOf } from './file-names.node.js';
import { decodedBytes, type FolderOptions, type FolderPlan, labelsOf, planFolder } from './folder-plan.node.js';
import { some } from './folder-warnings.js';
import { whyUnreadable } from './intact-file.node.js';
import type { PictureSet, Pictures, Pixels, Skipped } from './picture-source.js';
import { DECODERS, type Decoded, decode, forManyPictures } from './sharp.node.js';

/**
 * Decodes a folder of pictures with sharp. If every picture lies in a sub-folder, the first
 * sub-folder is its class; otherwise the set is unlabelled. Pictures that cannot be decoded are
 * listed in `skipped`. A missing or empty folder, or one without a readable picture, is a FormatError.
 */
export const openFolder = async (folder: string, options: FolderOptions = {}): Promise<Pictures> =>
  decodeFolder(await planFolder(folder, options), options);

/** Decodes all of a planned folder. */
export async function decodeFolder(
  plan: FolderPlan,
  { onProgress }: Pick<FolderOptions, 'onProgress'>,
): Promise<Pictures> {
  const { folder, names, framing, sharp } = plan;
  checkRoom(folder, names.length, await decodedBytes(plan));
  const decoded = new Array<Decoded | undefined>(names.length);
  let [done, bytes] = [0, 0];
  await forManyPictures(sharp, () =>
    forEachOf(names.length, DECODERS, async (i) => {
      decoded[i] = await readFile(pathOf(folder, names[i]))
        .then((content) => decode(sharp, content, framing))
        .catch(() => undefined);
      bytes += decoded[i]?.data.length ?? 0;
      checkRoom(folder, names.length, bytes);
      onProgress?.(++done, names.length);
    }),
  );
  const failed = [...decoded.keys()].filter((i) => !decoded[i]);
  return { ...described(plan, await reasons(plan, failed)), ...packed(folder, decoded, bytes, framing.square) };
}

/** Bytes that this machine, or what the process is confined to, has in all. */
export const hostMemory = (): number => Math.min(totalmem(), process.constrainedMemory?.() || Infinity);

/** Throws for more than that: the system may grant it, and end the process once it is used. */
function checkRoom(folder: string, count: number, bytes: number): void {
  if (bytes > hostMemory()) throw tooMany(folder, count, bytes);
}

const tooMany = (folder: string, count: number, bytes: number): ConfigError =>
  new ConfigError(
    `${folder}: the decoded pictures must fit into memory; got ${count} pictures, ` +
      `${(bytes / 2 ** 30).toFixed(1)} GiB. ` +
      'Stream them where that is possible, or choose a smaller size, fewer classes or a limit per class.',
  );

function allocate(folder: string, count: number, bytes: number): Uint8Array {
  try {
    return new Uint8Array(bytes);
  } catch {
    throw tooMany(folder, count, bytes);
  }
}

/** The decoded pictures one after the other. Each is let go of once it is copied. */
function packed(folder: string, decoded: (Decoded | undefined)[], bytes: number, square: boolean): Pixels {
  const data = allocate(folder, decoded.length, bytes);
  const places: number[] = [];
  let pixels = 0;
  for (const [i, picture] of decoded.entries()) {
    if (!picture) continue;
    data.set(picture.data, 3 * pixels);
    places.push(pixels, picture.height, picture.width);
    pixels += picture.height * picture.width;
    decoded[i] = undefined;
  }
  return { data, ...(!square && { places: Uint32Array.from(places) }) };
}

/** Why each of some pictures cannot be decoded, one after the other. */
export async function reasons(
  { folder, names, sharp }: Pick<FolderPlan, 'folder' | 'names' | 'sharp'>,
  failed: number[],
): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (const i of failed.sort((a, b) => a - b)) found.set(i, await whyUnreadable(sharp, pathOf(folder, names[i])));
  return found;
}

/** What is known of a folder of pictures of which some cannot be read. @throws FormatError if none can. */
export function described(
  { folder, names, classes, framing: { side }, warnings }: FolderPlan,
  failed: ReadonlyMap<number, string>,
): PictureSet {
  const skipped: Skipped[] = [...failed].map(([i, reason]) => ({ name: names[i], reason }));
  if (skipped.length === names.length)
    throw new FormatError(
      `${folder}: at least one picture must be readable; got ${names.length} that are not, ` +
        `the first ${skipped[0].name}: ${skipped[0].reason}. Are they really pictures?`,
    );
  const usable = names.filter((_, i) => !failed.has(i));
  const labels = classes && labelsOf(usable, classes);
  const lost = classes?.filter((_, c) => !labels!.includes(c)) ?? [];
  const all =
    lost.length === 0
      ? warnings
      : [
          ...warnings,
          `${folder}: a class must have pictures that can be read; got none of ${some(lost)}. Replace them, ` +
            `or remove the folders.`,
        ];
  return {
    count: usable.length,
    height: side,
    width: side,
    names: usable,
    skipped,
    ...(classes && { labels, classes }),
    ...(all.length > 0 && { warnings: all }),
  };
}
