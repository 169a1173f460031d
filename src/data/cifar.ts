import { check, instance, text } from '../core/check.js';
import { FormatError } from '../core/errors.js';
import { type Pictures, roomFor } from './picture-source.js';

/** The ten classes of CIFAR-10, in the order of its label bytes. */
export const CIFAR10_CLASSES: readonly string[] = [
  'airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck',
];

const SIDE = 32;
const PLANE = SIDE * SIDE;
const RECORD = 1 + 3 * PLANE;

/**
 * Reads a batch of CIFAR-10's binary version (Krizhevsky, 2009): records of one label byte and
 * three 32x32 planes, red, green, blue. `name` is the file's, for messages and picture names.
 * A size that is no multiple of 3073 and a label above 9 are a FormatError.
 */
export function parseCifar10(bytes: Uint8Array, name: string): Pictures {
  check('parseCifar10', 'the bytes', bytes, instance(Uint8Array));
  check('parseCifar10', 'the name', name, text);
  const count = Math.floor(bytes.length / RECORD);
  const rest = bytes.length % RECORD;
  if (rest !== 0 || count === 0)
    throw new FormatError(
      `${name}: a CIFAR-10 batch must be one or more records of ${RECORD} bytes; got ${bytes.length} bytes, ` +
        `${count} records and a remainder of ${rest}. The file is truncated or not the binary version: download it again.`,
    );
  const data = roomFor(name, count, SIDE, SIDE);
  const labels = new Uint32Array(count);
  for (let n = 0; n < count; n++) {
    const at = n * RECORD;
    if (bytes[at] >= CIFAR10_CLASSES.length)
      throw new FormatError(`${name}: a label byte must lie in [0, 9]; got ${bytes[at]} in record ${n}. The file is damaged or not CIFAR-10.`);
    labels[n] = bytes[at];
    interleave(bytes, at + 1, data, n * 3 * PLANE);
  }
  const names = Array.from({ length: count }, (_, n) => `${name}#${n}`);
  return { data, count, height: SIDE, width: SIDE, labels, classes: [...CIFAR10_CLASSES], names, skipped: [] };
}

/** Three planes of one picture to RGBRGB... */
function interleave(from: Uint8Array, at: number, to: Uint8Array, start: number): void {
  for (let i = 0; i < PLANE; i++) {
    to[start + 3 * i] = from[at + i];
    to[start + 3 * i + 1] = from[at + PLANE + i];
    to[start + 3 * i + 2] = from[at + 2 * PLANE + i];
  }
}
