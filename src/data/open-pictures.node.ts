import { check, checkOptions, flag, text, whole } from '../core/check.js';
import { folderRules } from './folder-plan.node.js';
import type { OpenOptions } from './format.js';
import { formats, placeOf, planPictures } from './formats.node.js';
import type { PictureSource, Pictures } from './picture-source.js';

export type { OpenOptions } from './format.js';

const rules = { ...folderRules, count: whole(1) };

/**
 * Opens a data set, whatever its format: a folder of CIFAR-10 batches (the training batches if there are any) or one
 * `.bin` file, a folder of MNIST's IDX files (the training images) or one such file, the word `synthetic`, otherwise a
 * folder of pictures. CIFAR and IDX pictures are padded with black to `size`.
 * FormatError: the path or its content is missing or damaged. ConfigError: an option cannot work.
 */
export async function openPictures(path: string, options: OpenOptions = {}): Promise<Pictures> {
  check('openPictures', 'the path', path, text);
  checkOptions('openPictures', options, rules);
  return (await planPictures(path, options)).open();
}

/** Where decoded pictures are to be. */
export interface SourceOptions extends OpenOptions {
  /** `true`: they are read when they are asked for. `false`: all at once, into memory. By default as `room` says. */
  stream?: boolean;
  /** Bytes that decoded pictures may take up: a set of more is streamed. */
  room?: number;
}

/**
 * Opens a data set as `openPictures` does, or as a stream of the same pictures: see `streamFolder`. Files that are gzip
 * are not streamed.
 */
export async function openSource(path: string, given: SourceOptions = {}): Promise<PictureSource> {
  check('openSource', 'the path', path, text);
  const room = { is: 'a number of bytes', holds: (v: unknown) => typeof v === 'number' && v >= 0 };
  checkOptions('openSource', given, { ...rules, stream: flag, room });
  const { stream, room: most = Infinity, ...options } = given;
  const plan = await planPictures(path, options);
  return (stream ?? (await plan.decodedBytes()) > most) ? plan.stream() : plan.open();
}

/** The test file that lies beside a folder's training files of CIFAR-10 or MNIST; undefined where there is none. */
export async function testFileOf(path: string): Promise<string | undefined> {
  const place = await placeOf(path);
  return formats.map((format) => format.testFile?.(place)).find((file) => file !== undefined);
}
