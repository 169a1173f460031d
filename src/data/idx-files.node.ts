import { access } from 'node:fs/promises';
import { basename } from 'node:path';
import { FormatError } from '../core/errors.js';
import { readBytes } from './file-bytes.node.js';
import { parseIdx } from './idx.js';
import type { Pictures } from './picture-source.js';

/**
 * Reads an IDX file of images and, if it lies beside it, the file of their labels
 * (`train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, either of them perhaps with `.gz`).
 * Classes are named after the digits 0 to 9, or as far as the labels go.
 */
export async function openIdx(file: string): Promise<Pictures> {
  const images = parseIdx(await readBytes(file), file);
  if (images.kind !== 'images')
    throw new FormatError(`${file}: pictures are needed; got an IDX file of labels. Name the file of images beside it.`);
  const { data, count, height, width } = images;
  const names = Array.from({ length: count }, (_, n) => `${basename(file)}#${n}`);
  const pictures = { data, count, height, width, names, skipped: [] };
  const beside = await labelsBeside(file);
  return beside === undefined ? pictures : { ...pictures, ...(await readLabels(beside, count)) };
}

/** The file of labels that belongs to a file of images, if there is one. */
async function labelsBeside(file: string): Promise<string | undefined> {
  const name = basename(file).replace('images', 'labels').replace('idx3', 'idx1').replace(/\.gz$/, '');
  if (name === basename(file).replace(/\.gz$/, '')) return undefined;
  const base = file.slice(0, file.length - basename(file).length) + name;
  for (const path of [base, `${base}.gz`])
    if (await access(path).then(() => true, () => false)) return path;
  return undefined;
}

async function readLabels(file: string, count: number): Promise<{ labels: Uint32Array; classes: string[] }> {
  const found = parseIdx(await readBytes(file), file);
  if (found.kind !== 'labels' || found.count !== count)
    throw new FormatError(
      `${file}: each image has one label; got ${found.count} ${found.kind} for ${count} images. The two files do not belong together.`,
    );
  const largest = found.labels.reduce((a, b) => Math.max(a, b), 9);
  return { labels: found.labels, classes: Array.from({ length: largest + 1 }, (_, c) => String(c)) };
}
