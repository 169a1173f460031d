import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { check, checkOptions, flag, text } from '../core/check.js';
import { ConfigError, FormatError } from '../core/errors.js';
import { readBytes } from './file-bytes.node.js';
import { parseCifar10 } from './cifar.js';
import { decodeFolder, openFolder } from './folder.node.js';
import { decodedBytes, type FolderOptions, folderRules as openRules, planFolder } from './folder-plan.node.js';
import { openIdx } from './idx-files.node.js';
import { joinPictures } from './join-pictures.js';
import { padTo } from './pad-pictures.js';
import { limitPerClass, selectClasses } from './pictures.js';
import type { Pictures, PictureSource } from './picture-source.js';
import { streamPlanned } from './stream.node.js';

/** Settings of `openPictures`: those of a folder, and they hold for the other formats too. */
export type OpenOptions = FolderOptions;

const CIFAR_FILE = /\.bin(\.gz)?$/i;
const CIFAR_TRAIN = /^data_batch_\d+\.bin(\.gz)?$/i;
const CIFAR_TEST = /^test_batch\.bin(\.gz)?$/i;
const CIFAR_PYTHON = /^(data_batch_\d+|test_batch|batches\.meta)$/;
const CIFAR_FOLDER = /^cifar-10-batches-(py|bin)$/;
const IDX_FILE = /(-ubyte|\.idx\d?)(\.gz)?$/i;
const IDX_TRAIN = /^train-images[-.]idx3-ubyte(\.gz)?$/i;
const IDX_TEST = /^t10k-images[-.]idx3-ubyte(\.gz)?$/i;

/**
 * Opens a data set, whatever it is: a folder of CIFAR-10 batches (the training batches if there
 * are any) or one `.bin` file, a folder of MNIST's IDX files (the training images) or one such
 * file, otherwise a folder of pictures. CIFAR and IDX pictures are padded with black to `size`.
 * FormatError: the path or its content is missing or damaged. ConfigError: an option cannot work.
 */
export async function openPictures(path: string, options: OpenOptions = {}): Promise<Pictures> {
  check('openPictures', 'the path', path, text);
  checkOptions('openPictures', options, openRules);
  const files = await packedFiles(path);
  if (files.length === 0) return openFolder(path, options);
  const parts: Pictures[] = [];
  for (const file of files) {
    parts.push(IDX_FILE.test(file) ? await openIdx(file) : parseCifar10(await readBytes(file), file));
    options.onProgress?.(parts.length, files.length);
  }
  return adjust(joinPictures(parts), options);
}

/** Where decoded pictures are to be. */
export interface SourceOptions extends OpenOptions {
  /** `true`: they are decoded when they are asked for. `false`: all at once, into memory. By default as `room` says. */
  stream?: boolean;
  /** Bytes that decoded pictures may take up: a folder of more is streamed. */
  room?: number;
}

/** Opens a data set as `openPictures` does, or as a stream: see `streamFolder`. CIFAR and IDX files are never streamed. */
export async function openSource(path: string, given: SourceOptions = {}): Promise<PictureSource> {
  check('openSource', 'the path', path, text);
  checkOptions('openSource', given, { ...openRules, stream: flag, room: { is: 'a number of bytes', holds: (v) => typeof v === 'number' && v >= 0 } });
  const { stream, room = Infinity, ...options } = given;
  if ((await packedFiles(path)).length > 0) {
    if (stream) throw new ConfigError(`${path}: what is streamed must be a folder of pictures; got a file of many, which is read whole. Leave streaming out.`);
    return openPictures(path, options);
  }
  const plan = await planFolder(path, options);
  return (stream ?? (await decodedBytes(plan)) > room) ? streamPlanned(plan, options) : decodeFolder(plan, options);
}

/** The test file that lies beside the training files of CIFAR-10 or MNIST in a folder; undefined where there is none. */
export async function testFileOf(path: string): Promise<string | undefined> {
  const names = await readdir(path).catch((): string[] => []);
  for (const [training, test] of [[CIFAR_TRAIN, CIFAR_TEST], [IDX_TRAIN, IDX_TEST]]) {
    const [file] = unpackedFirst(names.filter((name) => test.test(name)));
    if (file !== undefined && names.some((name) => training.test(name))) return join(path, file);
  }
  return undefined;
}

/** The CIFAR-10 or IDX files that `path` stands for; none if it is a folder of pictures. */
async function packedFiles(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new FormatError(`${path}: the pictures must exist; got nothing there. Check the path.`);
  if (!found.isDirectory()) {
    if (CIFAR_PYTHON.test(basename(path))) pythonVersion(path, basename(path));
    if (CIFAR_FILE.test(path) || IDX_FILE.test(path)) return [path];
    throw new FormatError(
      `${path}: a file of pictures is a CIFAR-10 .bin or an IDX -ubyte file, perhaps with .gz; got '${basename(path)}'. Name one of those, or a folder of pictures.`,
    );
  }
  const names = await readdir(path);
  for (const pattern of [CIFAR_TRAIN, CIFAR_TEST, IDX_TRAIN]) {
    const hits = unpackedFirst(names.filter((name) => pattern.test(name)).sort((a, b) => a.localeCompare(b, 'en', { numeric: true })));
    if (hits.length > 0) return hits.map((name) => join(path, name));
  }
  const python = names.find((name) => CIFAR_PYTHON.test(name));
  if (python) pythonVersion(path, python);
  const inside = names.filter((name) => CIFAR_FOLDER.test(name)).sort()[0]; // the binary version first
  if (inside) throw new FormatError(`${path}: the folder that CIFAR-10's batches lie in must be named; got the one above it. Open ${join(path, inside)}.`);
  return [];
}

function pythonVersion(path: string, file: string): never {
  throw new FormatError(
    `${path}: CIFAR-10 must be its binary version (data_batch_1.bin …); got ${file} of the python version. ` +
      'Get cifar-10-binary.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html.',
  );
}

/** Leaves out `x.gz` where `x` is there too. */
const unpackedFirst = (names: string[]): string[] =>
  names.filter((name) => !(name.toLowerCase().endsWith('.gz') && names.includes(name.slice(0, -3))));

function adjust(all: Pictures, { size, classes, limitPerClass: limit, seed = 0 }: OpenOptions): Pictures {
  const chosen = classes ? selectClasses(all, classes) : all;
  const limited = limit === undefined ? chosen : limitPerClass(chosen, limit, seed);
  return size === undefined ? limited : padTo(limited, size);
}
