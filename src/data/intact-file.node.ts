import { open, readFile } from 'node:fs/promises';
import type Sharp from 'sharp';
import { firstLine, shapeOf } from './sharp.node.js';

const PNG = [0x89504e47, 0x0d0a1a0a];
const IEND = [0, 0x49454e44, 0xae426082];
const [RIFF, WEBP] = [0x52494646, 0x57454250];
const ENDS = 12; // bytes looked at on each side
const MOST = 0x3fff ** 2; // pixels that sharp decodes

/**
 * Whether `file` begins and ends as a JPEG, PNG or WebP picture does, which takes a sixth of the time of reading its
 * header with sharp (bench/notes/data.md) and finds what was cut off. What does not look whole may still be a picture:
 * decode it to know.
 */
export async function looksWhole(file: string | Buffer): Promise<boolean> {
  const handle = await open(file).catch(() => undefined);
  if (!handle) return false;
  try {
    const { size } = await handle.stat();
    if (size < 2 * ENDS) return false;
    const bytes = new Uint8Array(2 * ENDS);
    await handle.read(bytes, 0, ENDS, 0);
    await handle.read(bytes, ENDS, ENDS, size - ENDS);
    return endsWell(bytes, size);
  } catch {
    return false;
  } finally {
    await handle.close();
  }
}

/** Whether the first and last twelve bytes of a file of `size` are those of a whole picture. */
function endsWell(ends: Uint8Array, size: number): boolean {
  const bytes = new DataView(ends.buffer, ends.byteOffset);
  const words = (at: number, wanted: number[]) => wanted.every((word, i) => bytes.getUint32(at + 4 * i) === word);
  if (bytes.getUint32(0) >>> 8 === 0xffd8ff) return bytes.getUint16(2 * ENDS - 2) === 0xffd9;
  if (words(0, [RIFF])) return words(8, [WEBP]) && bytes.getUint32(4, true) + 8 === size;
  return words(0, PNG) && words(ENDS, IEND);
}

/**
 * Why the picture in `file` cannot be decoded, by its own bytes: what the decoder says may be about another picture, as
 * all that are decoded at a time write into one place.
 */
export async function whyUnreadable(sharp: typeof Sharp, file: string | Buffer): Promise<string> {
  try {
    const bytes = new Uint8Array(await readFile(file));
    if (bytes.length === 0) return 'the file is empty';
    const start = new DataView(new Uint8Array([...bytes.subarray(0, ENDS), ...new Uint8Array(ENDS)]).buffer);
    const known =
      start.getUint32(0) >>> 8 === 0xffd8ff ||
      start.getUint32(0) === PNG[0] ||
      (start.getUint32(0) === RIFF && start.getUint32(8) === WEBP);
    if (!known) return 'it is not a JPEG, PNG or WebP picture';
    const ends = Uint8Array.of(...bytes.subarray(0, ENDS), ...bytes.subarray(-ENDS));
    if (bytes.length < 2 * ENDS || !endsWell(ends, bytes.length)) return 'it is cut off';
    const shape = await shapeOf(sharp(bytes)).catch(() => undefined);
    if (!shape) return 'its header is damaged';
    return shape.height * shape.width > MOST
      ? `its ${shape.width}×${shape.height} pixels are more than the ${MOST} that are decoded`
      : 'its data are damaged';
  } catch (error) {
    return firstLine(error); // of the file system
  }
}
