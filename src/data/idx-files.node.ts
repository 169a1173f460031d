import { access } from 'node:fs/promises';
import { basename } from 'node:path';
import { FormatError } from '../core/errors.js';
import { readBytes } from './file-bytes.node.js';
import type { Format } from './format.js';
import { IDX_HEADER, type IdxHeader, idxHeader, parseIdx, spreadGrey } from './idx.js';
import { filesNamed, type PackedFile, planPacked, readAt, withFile } from './packed-files.node.js';
import type { PictureSet, Pictures } from './picture-source.js';

const FILE = /(-ubyte|\.idx\d?)(\.gz)?$/i;
const TRAIN = /^train-images[-.]idx3-ubyte(\.gz)?$/i;
const TEST = /^t10k-images[-.]idx3-ubyte(\.gz)?$/i;

/** MNIST's format: the training images of a folder, or one file, with the labels that lie beside it. */
export const idx: Format = {
  name: 'IDX',
  help: 'MNIST-style IDX files (train-images-idx3-ubyte, perhaps with .gz)',
  recognise(place) {
    const { kind, path, names } = place;
    if (kind === 'file') return FILE.test(names[0]) ? [path] : undefined;
    const found = filesNamed(place, TRAIN);
    return found.length > 0 ? found : undefined;
  },
  plan: (files, options) => planPacked(files, options, { read: openIdx, shape: imagesIn, index: indexIdx }),
  testFile: (place) => (filesNamed(place, TRAIN).length > 0 ? filesNamed(place, TEST)[0] : undefined),
};

/** Reads a file of images and its labels. */
async function openIdx(file: string): Promise<Pictures> {
  const images = parseIdx(await readBytes(file), file);
  if (images.kind !== 'images') throw areLabels(file);
  return { ...(await described(file, images)), data: images.data };
}

/** What is known of a file of images without them. */
async function indexIdx(file: string): Promise<PackedFile> {
  const header = await imagesIn(file);
  return {
    ...(await described(file, header)),
    file,
    first: header.first,
    record: header.height * header.width,
    unpack: spreadGrey,
  };
}

const imagesIn = (file: string): Promise<IdxHeader> =>
  withFile(file, async (handle, size) => {
    const header = idxHeader(await readAt(file, handle, 0, Math.min(IDX_HEADER, size)), size, file);
    if (header.kind !== 'images') throw areLabels(file);
    return header;
  });

const areLabels = (file: string): FormatError =>
  new FormatError(`${file}: pictures are needed; got an IDX file of labels. Name the file of images beside it.`);

/**
 * Names, and if the file of labels lies beside it (`train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, either of
 * them perhaps with `.gz`), labels. Classes are named after the digits 0 to 9, or as far as the labels go.
 */
async function described(
  file: string,
  { count, height, width }: Pick<PictureSet, 'count' | 'height' | 'width'>,
): Promise<PictureSet> {
  const names = Array.from({ length: count }, (_, n) => `${basename(file)}#${n}`);
  const beside = await labelsBeside(file);
  return { count, height, width, names, skipped: [], ...(beside !== undefined && (await readLabels(beside, count))) };
}

/** The file of labels that belongs to a file of images, if there is one. */
async function labelsBeside(file: string): Promise<string | undefined> {
  const name = basename(file).replace('images', 'labels').replace('idx3', 'idx1').replace(/\.gz$/, '');
  if (name === basename(file).replace(/\.gz$/, '')) return undefined;
  const base = file.slice(0, file.length - basename(file).length) + name;
  for (const path of [base, `${base}.gz`])
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  return undefined;
}

async function readLabels(file: string, count: number): Promise<{ labels: Uint32Array; classes: string[] }> {
  const found = parseIdx(await readBytes(file), file);
  if (found.kind !== 'labels' || found.count !== count)
    throw new FormatError(
      `${file}: each image has one label; got ${found.count} ${found.kind} for ${count} images. ` +
        `The two files do not belong together.`,
    );
  const largest = found.labels.reduce((a, b) => Math.max(a, b), 9);
  return { labels: found.labels, classes: Array.from({ length: largest + 1 }, (_, c) => String(c)) };
}
