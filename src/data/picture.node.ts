import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { FormatError } from '../core/errors.js';
import { forEvaluation } from './framing.js';
import { whyUnreadable } from './intact-file.node.js';
import type { Pictures } from './picture-source.js';
import { decode, loadSharp } from './sharp.node.js';

/**
 * One picture from a file, as a set of one, to be evaluated in a view of `size` pixels a side. @throws FormatError
 * where it cannot be decoded.
 */
export async function openPicture(file: string, size: number): Promise<Pictures> {
  const sharp = await loadSharp();
  try {
    const { data, height, width } = await decode(sharp, await readFile(file), forEvaluation(size));
    return {
      data,
      places: Uint32Array.of(0, height, width),
      count: 1,
      height: size,
      width: size,
      names: [basename(file)],
      skipped: [],
    };
  } catch {
    throw new FormatError(
      `${file}: it must be a picture that can be decoded; got one that cannot: ` +
        `${await whyUnreadable(sharp, file)}. Name a JPEG, PNG or WebP file.`,
    );
  }
}
