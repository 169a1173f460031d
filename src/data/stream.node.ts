import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { check, checkOptions, text } from '../core/check.js';
import { FormatError } from '../core/errors.js';
import { checkSome } from './folder.node.js';
import { type FolderOptions, type FolderPlan, folderRules, labelsOf, planFolder } from './folder-plan.node.js';
import { lanes } from './lanes.js';
import { checkIndices, type Skipped } from './pictures.js';
import { pool } from './pool.js';
import { decode, DECODERS, firstLine, forManyPictures } from './sharp.node.js';
import type { StreamedPictures } from './source.js';
import { looksWhole } from './whole.node.js';

/** Part of a set that may turn out to be damaged before that is an error. */
const TOLERATED = 0.01;
const GREY = 128;
/** Files opened at a time to see whether they are whole. */
const OPEN = 16;

/**
 * A folder of pictures that are decoded each time they are asked for: the same pictures, bytes, labels and order as
 * `openFolder` gives, without their memory. Both ends of every file are read at once; a picture that does not look whole and
 * cannot be decoded is left out, as there. One that is damaged between its ends is grey, always, and added to `skipped` when met.
 *
 * @throws FormatError as `openFolder`; and from `load` for a file that is gone, or where more than one in a hundred are damaged.
 */
export const streamFolder = async (folder: string, options: FolderOptions = {}): Promise<StreamedPictures> => {
  check('streamFolder', 'the folder', folder, text);
  checkOptions('streamFolder', options, folderRules);
  return streamPlanned(await planFolder(folder, options), options);
};

/** The same of a planned folder. */
export async function streamPlanned(plan: FolderPlan, { onProgress }: Pick<FolderOptions, 'onProgress'>): Promise<StreamedPictures> {
  const { folder, size, classes, warnings } = plan;
  const { names, skipped } = await usable(plan, onProgress);
  const labels = classes && labelsOf(names, classes);
  const set = { count: names.length, height: size, width: size, names, skipped, ...(classes && { labels, classes }), ...(warnings && { warnings }) };
  const [one, lane, bytes] = [decoderOf(plan, set), lanes(DECODERS), size * size * 3];
  const load = async (indices: ArrayLike<number>, signal?: AbortSignal) => {
    checkIndices(`${folder}`, set, indices);
    const data = new Uint8Array(indices.length * bytes);
    let failed = false;
    const decodeOne = (index: number, place: number) => lane(async () => {
      signal?.throwIfAborted();
      if (failed) return;
      data.set(await one(names[index]), place * bytes);
    }).catch((error: unknown) => {
      failed = true;
      throw error;
    });
    await forManyPictures(plan.sharp, () => Promise.all(Array.from(indices, decodeOne)));
    return data;
  };
  return { ...set, load };
}

/** The pictures that can be decoded, as far as their ends tell; the others are tried. */
async function usable({ folder, names, size, sharp }: FolderPlan, onProgress?: FolderOptions['onProgress']): Promise<{ names: string[]; skipped: Skipped[] }> {
  const failed = new Map<string, string>();
  let done = 0;
  const tried = async (file: string) => void (await decode(sharp, await readFile(file), size));
  await forManyPictures(sharp, () => pool(names.length, OPEN, async (i) => {
    const file = join(folder, names[i]);
    if (!(await looksWhole(file))) await tried(file).catch((error: unknown) => failed.set(names[i], firstLine(error)));
    onProgress?.(++done, names.length);
  }));
  const skipped = names.filter((name) => failed.has(name)).map((name) => ({ name, reason: failed.get(name)! }));
  checkSome(folder, names.length, skipped);
  return { names: names.filter((name) => !failed.has(name)), skipped };
}

/** Decodes a picture by its name. */
function decoderOf({ folder, size, sharp }: FolderPlan, { count, skipped }: { count: number; skipped: Skipped[] }): (name: string) => Promise<Uint8Array> {
  const damaged = new Set<string>();
  const most = Math.max(1, Math.floor(count * TOLERATED));
  return async (name) => {
    const file = join(folder, name);
    const content = await readFile(file).catch((error: Error) => {
      throw new FormatError(`${file}: a picture must stay readable as long as it is trained on; got '${error.message}'. Restore the file, and resume the run.`);
    });
    try {
      return await decode(sharp, content, size);
    } catch (error) {
      if (!damaged.has(name)) skipped.push({ name, reason: firstLine(error) });
      if (damaged.add(name).size > most)
        throw new FormatError(
          `${file}: at most one picture in a hundred may be damaged; got ${damaged.size} of ${count}, this one by '${firstLine(error)}'. ` +
            'Replace or remove them, and start a new run.',
        );
      return new Uint8Array(size * size * 3).fill(GREY);
    }
  };
}
