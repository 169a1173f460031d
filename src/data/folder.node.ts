import { readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { ConfigError, FormatError } from '../core/errors.js';
import { type FolderOptions, type FolderPlan, labelsOf, planFolder } from './folder-plan.node.js';
import type { Pictures, Skipped } from './pictures.js';
import { pool } from './pool.js';
import { decode, DECODERS, firstLine, forManyPictures } from './sharp.node.js';

/**
 * Decodes a folder of pictures with sharp. If every picture lies in a sub-folder, the first
 * sub-folder is its class; otherwise the set is unlabelled. Pictures that cannot be decoded are
 * listed in `skipped`. A missing or empty folder, or one without a readable picture, is a FormatError.
 */
export const openFolder = async (folder: string, options: FolderOptions = {}): Promise<Pictures> => decodeFolder(await planFolder(folder, options), options);

/** Decodes all of a planned folder. */
export async function decodeFolder(plan: FolderPlan, { onProgress }: Pick<FolderOptions, 'onProgress'>): Promise<Pictures> {
  const { folder, names, size, sharp } = plan;
  const bytes = size * size * 3;
  const data = allocate(folder, names.length, bytes);
  const failed = new Map<number, string>();
  let done = 0;
  await forManyPictures(sharp, () => pool(names.length, DECODERS, async (i) => {
    try {
      data.set(await decode(sharp, await readFile(join(folder, names[i])), size), i * bytes);
    } catch (error) {
      failed.set(i, firstLine(error));
    }
    onProgress?.(++done, names.length);
  }));
  return gather(plan, data, failed);
}

/** Bytes that this machine, or what the process is confined to, has in all. */
const memory = (): number => Math.min(totalmem(), process.constrainedMemory?.() || Infinity);

function allocate(folder: string, count: number, bytes: number): Uint8Array {
  try {
    if (count * bytes > memory()) throw new RangeError(); // the system may grant it, and end the process once it is used
    return new Uint8Array(count * bytes);
  } catch {
    throw new ConfigError(
      `${folder}: the decoded pictures must fit into memory; got ${count} pictures, ${((count * bytes) / 2 ** 30).toFixed(1)} GiB. ` +
        'Stream them where that is possible, or choose a smaller size, fewer classes or a limit per class.',
    );
  }
}

/** Closes the gaps that failed pictures left, and labels the rest. */
function gather({ folder, names, classes, size, warnings }: FolderPlan, data: Uint8Array, failed: Map<number, string>): Pictures {
  const places = [...names.keys()].filter((i) => !failed.has(i));
  const skipped: Skipped[] = [...failed.keys()].sort((a, b) => a - b).map((i) => ({ name: names[i], reason: failed.get(i)! }));
  checkSome(folder, names.length, skipped);
  const bytes = size * size * 3;
  places.forEach((from, to) => data.copyWithin(to * bytes, from * bytes, (from + 1) * bytes));
  const kept = places.map((i) => names[i]);
  return {
    ...(warnings && { warnings }), data: data.subarray(0, kept.length * bytes), count: kept.length, height: size, width: size,
    names: kept, skipped, ...(classes && { labels: labelsOf(kept, classes), classes }),
  };
}

/** @throws FormatError if every one of `count` pictures was skipped. */
export function checkSome(folder: string, count: number, skipped: readonly Skipped[]): void {
  if (skipped.length < count) return;
  throw new FormatError(
    `${folder}: at least one picture must be readable; got ${count} that are not, the first ${skipped[0].name}: '${skipped[0].reason}'. Are they really pictures?`,
  );
}
