import { check, instance, text } from '../core/check.js';
import { FormatError } from '../core/errors.js';
import { roomFor } from './picture-memory.js';
import type { Pictures } from './picture-source.js';

/** The ten classes of CIFAR-10, in the order of its label bytes. */
export const CIFAR10_CLASSES: readonly string[] = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
];

/** Pixels of a side, and bytes of a record: a label and three planes. */
export const SIDE = 32;
const PLANE = SIDE * SIDE;
export const RECORD = 1 + 3 * PLANE;

/**
 * Reads a batch of CIFAR-10's binary version (Krizhevsky, 2009): records of one label byte and
 * three 32x32 planes, red, green, blue. `name` is the file's, for messages and picture names.
 * A size that is no multiple of 3073 and a label above 9 are a FormatError.
 */
export function parseCifar10(bytes: Uint8Array, name: string): Pictures {
  check('parseCifar10', 'the bytes', bytes, instance(Uint8Array));
  check('parseCifar10', 'the name', name, text);
  const count = cifarCount(bytes.length, name);
  const data = roomFor(name, count, SIDE, SIDE);
  const labels = new Uint32Array(count);
  for (let n = 0; n < count; n++) {
    labels[n] = cifarLabel(bytes[n * RECORD], n, name);
    unpackCifar(bytes.subarray(n * RECORD, (n + 1) * RECORD), data.subarray(n * 3 * PLANE, (n + 1) * 3 * PLANE));
  }
  return {
    data,
    count,
    height: SIDE,
    width: SIDE,
    labels,
    classes: [...CIFAR10_CLASSES],
    names: cifarNames(name, count),
    skipped: [],
  };
}

/** How many records a file of so many bytes has. @throws FormatError where they are no whole number. */
export function cifarCount(size: number, name: string): number {
  const [count, rest] = [Math.floor(size / RECORD), size % RECORD];
  if (rest === 0 && count > 0) return count;
  throw new FormatError(
    `${name}: a CIFAR-10 batch must be one or more records of ${RECORD} bytes; got ${size} bytes, ` +
      `${count} records and a remainder of ${rest}. The file is truncated or not the binary version: ` +
      `download it again.`,
  );
}

/** The label byte of a record. @throws FormatError where there is no such class. */
export function cifarLabel(byte: number, record: number, name: string): number {
  if (byte < CIFAR10_CLASSES.length) return byte;
  throw new FormatError(
    `${name}: a label byte must lie in [0, 9]; got ${byte} in record ${record}. ` +
      'The file is damaged or not CIFAR-10.',
  );
}

/** A name for each picture of a file. */
export const cifarNames = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${name}#${n}`);

/** Three planes of one record to RGBRGB... */
export function unpackCifar(record: Uint8Array, to: Uint8Array): void {
  for (let i = 0; i < PLANE; i++) for (let c = 0; c < 3; c++) to[3 * i + c] = record[1 + c * PLANE + i];
}
