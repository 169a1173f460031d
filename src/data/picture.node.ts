import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { FormatError } from '../core/errors.js';
import type { Pictures } from './pictures.js';
import { decode, firstLine, loadSharp } from './sharp.node.js';

/** One picture from a file, as a set of one, `size` pixels a side. @throws FormatError where it cannot be decoded. */
export async function openPicture(file: string, size: number): Promise<Pictures> {
  const sharp = await loadSharp();
  try {
    const data = await decode(sharp, await readFile(file), size);
    return { data, count: 1, height: size, width: size, names: [basename(file)], skipped: [] };
  } catch (error) {
    throw new FormatError(`${file}: it must be a picture that can be decoded; got '${firstLine(error)}'. Name a JPEG, PNG or WebP file.`);
  }
}
