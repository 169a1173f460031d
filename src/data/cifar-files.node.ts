import { join } from 'node:path';
import { FormatError } from '../core/errors.js';
import {
  CIFAR10_CLASSES,
  cifarCount,
  cifarLabel,
  cifarNames,
  parseCifar10,
  RECORD,
  SIDE,
  unpackCifar,
} from './cifar.js';
import { readBytes } from './file-bytes.node.js';
import type { Format, Place } from './format.js';
import { filesNamed, type PackedFile, planPacked, readAt, withFile } from './packed-files.node.js';

const FILE = /\.bin(\.gz)?$/i;
const TRAIN = /^data_batch_\d+\.bin(\.gz)?$/i;
const TEST = /^test_batch\.bin(\.gz)?$/i;
const PYTHON = /^(data_batch_\d+|test_batch|batches\.meta)$/;
const ABOVE = /^cifar-10-batches-(py|bin)$/;
const BLOCK = 1024; // records

/** CIFAR-10's binary version: the training batches of a folder, or its test batch, or one file. */
export const cifar10: Format = {
  name: 'CIFAR-10',
  help: "CIFAR-10's binary batches (data_batch_1.bin …, perhaps with .gz)",
  recognise(place) {
    const { kind, path, names } = place;
    if (kind === 'file' && FILE.test(names[0])) return [path];
    const found = [TRAIN, TEST].map((pattern) => filesNamed(place, pattern)).find((files) => files.length > 0);
    if (kind === 'folder' && found) return found;
    checkVersion(place);
    return undefined;
  },
  plan: (files, options) =>
    planPacked(files, options, {
      read: async (file) => parseCifar10(await readBytes(file), file),
      shape: (file) =>
        withFile(file, async (_, size) => ({ count: cifarCount(size, file), height: SIDE, width: SIDE })),
      index: indexCifar,
    }),
  testFile: (place) => (filesNamed(place, TRAIN).length > 0 ? filesNamed(place, TEST)[0] : undefined),
};

/** Throws for CIFAR-10's version for Python, and for the folder above its batches. */
function checkVersion({ kind, path, names }: Place): void {
  const python = names.find((name) => PYTHON.test(name));
  if (python)
    throw new FormatError(
      `${path}: CIFAR-10 must be its binary version (data_batch_1.bin …); got ${python} of the python version. ` +
        'Get cifar-10-binary.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html.',
    );
  // the binary version first
  const inside = kind === 'folder' ? names.filter((name) => ABOVE.test(name)).sort()[0] : undefined;
  if (inside)
    throw new FormatError(
      `${path}: the folder that CIFAR-10's batches lie in must be named; got the one above it. ` +
        `Open ${join(path, inside)}.`,
    );
}

/** Labels stand beside each picture, so that the file is read once, a block at a time, and let go of. */
const indexCifar = (file: string): Promise<PackedFile> =>
  withFile(file, async (handle, size) => {
    const count = cifarCount(size, file);
    const labels = new Uint32Array(count);
    for (let n = 0; n < count; n += BLOCK) {
      const bytes = await readAt(file, handle, n * RECORD, Math.min(BLOCK, count - n) * RECORD);
      for (let i = 0; i * RECORD < bytes.length; i++) labels[n + i] = cifarLabel(bytes[i * RECORD], n + i, file);
    }
    const set = {
      count,
      height: SIDE,
      width: SIDE,
      labels,
      classes: [...CIFAR10_CLASSES],
      names: cifarNames(file, count),
      skipped: [],
    };
    return { ...set, file, first: 0, record: RECORD, unpack: unpackCifar };
  });
