import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { check, checkOptions, text } from '../core/check.js';
import { FormatError } from '../core/errors.js';
import { forEachOf, limiter } from './concurrency.js';
import { pathOf } from './file-names.node.js';
import { described, reasons } from './folder.node.js';
import { type FolderOptions, type FolderPlan, folderRules, planFolder } from './folder-plan.node.js';
import { looksWhole, whyUnreadable } from './intact-file.node.js';
import type { PictureSet, StreamedPictures } from './picture-source.js';
import { checkIndices } from './pictures.js';
import { DECODERS, type Decoded, decode, forManyPictures } from './sharp.node.js';

/** Part of a set that may turn out to be damaged before that is an error. */
const TOLERATED = 0.01;
const GREY = 128;
/** Files opened at a time to see whether they are whole. */
const OPEN = 16;

/**
 * A folder of pictures that are decoded each time they are asked for: the same pictures, bytes, labels and order as
 * `openFolder` gives, without their memory. Both ends of every file are read at once; a picture that does not look
 * whole and cannot be decoded is left out, as there. One that is damaged between its ends is grey, always, and added to
 * `skipped` when met.
 *
 * @throws FormatError as `openFolder`; and from `load` for a file that is gone, or where more than one in a hundred are
 * damaged.
 */
export const streamFolder = async (folder: string, options: FolderOptions = {}): Promise<StreamedPictures> => {
  check('streamFolder', 'the folder', folder, text);
  checkOptions('streamFolder', options, folderRules);
  return streamPlanned(await planFolder(folder, options), options);
};

/** The same of a planned folder. */
export async function streamPlanned(
  plan: FolderPlan,
  { onProgress }: Pick<FolderOptions, 'onProgress'>,
): Promise<StreamedPictures> {
  const { folder, framing, sharp } = plan;
  const set = described(plan, await reasons(plan, await unusable(plan, onProgress)));
  const [one, limited, room] = [decoderOf(plan, set), limiter(DECODERS), framing.side ** 2];
  const load = async (indices: ArrayLike<number>, signal?: AbortSignal) => {
    checkIndices(`${folder}`, set, indices);
    const data = new Uint8Array(3 * room * indices.length);
    const places = new Uint32Array(3 * indices.length);
    let failed = false;
    const decodeOne = (index: number, place: number) =>
      limited(async () => {
        signal?.throwIfAborted();
        if (failed) return;
        const decoded = await one(set.names[index]);
        data.set(decoded.data, 3 * place * room);
        places.set([place * room, decoded.height, decoded.width], 3 * place);
      }).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    await forManyPictures(sharp, () => Promise.all(Array.from(indices, decodeOne)));
    return framing.square ? { data } : { data, places };
  };
  return { ...set, ...(!framing.square && { manyShapes: true }), load };
}

/** Places of pictures that cannot be decoded, as far as their ends tell; those that do not look whole are tried. */
async function unusable(
  { folder, names, framing, sharp }: FolderPlan,
  onProgress?: FolderOptions['onProgress'],
): Promise<number[]> {
  const failed: number[] = [];
  let done = 0;
  await forManyPictures(sharp, () =>
    forEachOf(names.length, OPEN, async (i) => {
      const file = pathOf(folder, names[i]);
      if (!(await looksWhole(file)))
        await readFile(file)
          .then((bytes) => decode(sharp, bytes, framing))
          .catch(() => failed.push(i));
      onProgress?.(++done, names.length);
    }),
  );
  return failed;
}

/** Decodes a picture by its name. */
function decoderOf(
  { folder, framing, sharp }: FolderPlan,
  { count, skipped }: PictureSet,
): (name: string) => Promise<Decoded> {
  const damaged = new Set<string>();
  const most = Math.max(1, Math.floor(count * TOLERATED));
  return async (name) => {
    const [file, path] = [join(folder, name), pathOf(folder, name)];
    const content = await readFile(path).catch((error: Error) => {
      throw new FormatError(
        `${file}: a picture must stay readable as long as it is trained on; got '${error.message}'. ` +
          `Restore the file, and resume the run.`,
      );
    });
    try {
      return await decode(sharp, content, framing);
    } catch {
      if (!damaged.has(name)) {
        damaged.add(name);
        const reason = await whyUnreadable(sharp, path);
        skipped.push({ name, reason });
        if (damaged.size > most)
          throw new FormatError(
            `${file}: at most one picture in a hundred may be damaged; got ${damaged.size} of ${count}, ` +
              `this one because ${reason}. ` +
              'Replace or remove them, and start a new run.',
          );
      }
      return { data: new Uint8Array(framing.side ** 2 * 3).fill(GREY), height: framing.side, width: framing.side };
    }
  };
}
