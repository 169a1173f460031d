import { check, instance, text } from '../core/check.js';
import { FormatError } from '../core/errors.js';
import { roomFor } from './picture-memory.js';

/** Grey pictures of an IDX file, spread over RGB: `data` is `[count, height, width, 3]`. */
export interface IdxImages {
  kind: 'images';
  data: Uint8Array;
  count: number;
  height: number;
  width: number;
}

/** Labels of an IDX file, `[count]`. */
export interface IdxLabels {
  kind: 'labels';
  labels: Uint32Array;
  count: number;
}

const IMAGES = 0x00000803;
const LABELS = 0x00000801;
/** Bytes of the longest header. */
export const IDX_HEADER = 16;

/** What a header says: of labels, height and width are 1. */
export interface IdxHeader {
  kind: 'images' | 'labels';
  count: number;
  height: number;
  width: number;
  /** Bytes of the header. */
  first: number;
}

/**
 * Reads an MNIST-style IDX file (LeCun): big-endian magic, one u32 per axis, then unsigned bytes.
 * The sizes in the header must account for every byte of the file; otherwise it is a FormatError.
 */
export function parseIdx(bytes: Uint8Array, name: string): IdxImages | IdxLabels {
  check('parseIdx', 'the bytes', bytes, instance(Uint8Array));
  check('parseIdx', 'the name', name, text);
  const { kind, first, count, height, width } = idxHeader(bytes, bytes.length, name);
  if (kind === 'labels') return { kind, labels: new Uint32Array(bytes.subarray(first)), count };
  const data = roomFor(name, count, height, width);
  spreadGrey(bytes.subarray(first), data);
  return { kind, data, count, height, width };
}

/**
 * The header of a file of `size` bytes, of which `bytes` are the first 16 or all.
 * @throws FormatError where it is none, or its sizes are not the file's.
 */
export function idxHeader(bytes: Uint8Array, size: number, name: string): IdxHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = bytes.length >= 4 ? view.getUint32(0) : -1;
  if (magic !== IMAGES && magic !== LABELS)
    throw new FormatError(
      `${name}: an IDX file must begin with 0x00000803 (images) or 0x00000801 (labels) of unsigned bytes; ` +
        `got ${magic < 0 ? `${bytes.length} bytes` : `0x${magic.toString(16).padStart(8, '0')}`}. ` +
        `Is it the right file?`,
    );
  const axes = magic === IMAGES ? 3 : 1;
  const first = 4 + 4 * axes;
  if (size < first)
    throw new FormatError(
      `${name}: an IDX header of ${axes} axes must have ${first} bytes; got ${size}. ` +
        'The file is truncated: download it again.',
    );
  const sizes = Array.from({ length: axes }, (_, i) => view.getUint32(4 + 4 * i));
  checkSize(name, sizes, size - first);
  const [count, height = 1, width = 1] = sizes;
  return { kind: magic === IMAGES ? 'images' : 'labels', count, height, width, first };
}

/** Grey pixels to RGBRGB... */
export function spreadGrey(grey: Uint8Array, to: Uint8Array): void {
  for (let i = 0; i < grey.length; i++) to[3 * i] = to[3 * i + 1] = to[3 * i + 2] = grey[i];
}

/** Compares what the header says with what is there, in exact integers. */
function checkSize(name: string, sizes: number[], got: number): void {
  const want = sizes.reduce((n, d) => n * BigInt(d), 1n);
  if (sizes.some((d) => d === 0))
    throw new FormatError(
      `${name}: an IDX file must hold at least one value on each axis; got [${sizes.join(', ')}]. ` +
        `The file is empty: download it again.`,
    );
  if (want !== BigInt(got))
    throw new FormatError(
      `${name}: the header says [${sizes.join(', ')}], so ${want} bytes must follow; got ${got}. ` +
        `The file is ${BigInt(got) < want ? 'truncated' : 'longer than it should be'}: download it again.`,
    );
}
