import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError } from '../core/errors.js';
import { chosenOf } from './choose-pictures.js';
import { forEachOf } from './concurrency.js';
import type { OpenOptions, PicturePlan, Place } from './format.js';
import { checkAlike, joinLabels, joinPictures } from './join-pictures.js';
import type { PictureSet, Pictures, StreamedPictures } from './picture-source.js';
import { checkIndices } from './pictures.js';

/** A file of pictures of one size, a record each, one after the other. */
export interface PackedFile extends PictureSet {
  readonly file: string;
  /** Bytes before the first record, and of each. */
  readonly first: number;
  readonly record: number;
  /** Writes the picture of a record, u8 [height, width, 3]. */
  unpack(record: Uint8Array, to: Uint8Array): void;
}

/** How files of many pictures are read: all of one at once, or its records on demand. */
export interface PackedReader {
  read(file: string): Promise<Pictures>;
  /** Of a file that is not gzip: how many pictures of which size, and all that is known without their pixels. */
  shape(file: string): Promise<Pick<PictureSet, 'count' | 'height' | 'width'>>;
  index(file: string): Promise<PackedFile>;
}

const READS = 16; // records that are read at a time

/** A data set of packed files, one after the other. Those that are gzip are read whole. */
export async function planPacked(
  files: readonly string[],
  options: OpenOptions,
  { read, shape, index }: PackedReader,
): Promise<PicturePlan> {
  const zipped: string[] = [];
  for (const file of files) if (await isGzip(file)) zipped.push(file);
  const stream = async (): Promise<StreamedPictures> => {
    if (zipped.length > 0)
      throw new FormatError(
        `${zipped[0]}: what is streamed must not be compressed; got gzip data. ` +
          'Unpack it with gunzip, or leave streaming out.',
      );
    const parts: PackedFile[] = [];
    for (const file of files) parts.push(await index(file));
    return chosenOf(streamParts(parts), options);
  };
  const openAll = async () => {
    const parts: Pictures[] = [];
    for (const file of files) {
      parts.push(await read(file));
      options.onProgress?.(parts.length, files.length);
    }
    return chosenOf(joinPictures(parts), options);
  };
  const decodedBytes = async () => {
    const shapes = zipped.length > 0 ? [] : await Promise.all(files.map(shape));
    return shapes.reduce(
      (n, { count, height, width }) => n + 3 * count * (options.size ? options.size ** 2 : height * width),
      0,
    );
  };
  return { decodedBytes, open: openAll, stream };
}

/**
 * Paths of the files in a folder whose names are of a pattern, in the order of their numbers; `x.gz` is left out where
 * `x` is there too.
 */
export const filesNamed = ({ path, names }: Place, pattern: RegExp): string[] =>
  names
    .filter((name) => pattern.test(name) && !(name.toLowerCase().endsWith('.gz') && names.includes(name.slice(0, -3))))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((name) => join(path, name));

/** Opens a file for as long as `use` takes. @throws FormatError where it cannot be read. */
export async function withFile<T>(file: string, use: (handle: FileHandle, size: number) => Promise<T>): Promise<T> {
  const handle = await open(file).catch((error: Error) => {
    throw new FormatError(
      `${file}: the file must be readable; got '${error.message}'. Check the path, or download the file again.`,
    );
  });
  try {
    return await use(handle, (await handle.stat()).size);
  } finally {
    await handle.close();
  }
}

/** `length` bytes from `at`. @throws FormatError where the file has ended before. */
export async function readAt(file: string, handle: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await handle.read(new Uint8Array(length), 0, length, at);
  if (bytesRead === length) return buffer;
  throw new FormatError(
    `${file}: a file must stay as it is while it is read; got ${bytesRead} of ${length} bytes at ${at}. ` +
      'Restore it, and resume the run.',
  );
}

const isGzip = (file: string): Promise<boolean> =>
  withFile(file, async (handle, size) => {
    const [first, second] = size < 2 ? [] : await readAt(file, handle, 0, 2);
    return first === 0x1f && second === 0x8b;
  });

/** The records of all parts as one set. */
function streamParts(parts: readonly PackedFile[]): StreamedPictures {
  checkAlike('streamParts', parts);
  const { file: _, first: __, record: ___, unpack: ____, ...about } = parts[0];
  const set: PictureSet = {
    ...about,
    count: parts.reduce((n, p) => n + p.count, 0),
    names: parts.flatMap((p) => p.names),
    skipped: [],
    ...(about.labels && { labels: joinLabels(parts) }),
  };
  const owners = parts.flatMap((part) => new Array<PackedFile>(part.count).fill(part));
  const starts = new Map(parts.map((part) => [part, owners.indexOf(part)]));
  const bytes = set.height * set.width * 3;
  const load = async (indices: ArrayLike<number>, signal?: AbortSignal) => {
    checkIndices(parts[0].file, set, indices);
    const data = new Uint8Array(bytes * indices.length);
    for (const part of new Set(Array.from(indices, (i) => owners[i])))
      await withFile(part.file, (handle) =>
        forEachOf(indices.length, READS, async (n) => {
          if (owners[indices[n]] !== part) return;
          signal?.throwIfAborted();
          const at = part.first + (indices[n] - starts.get(part)!) * part.record;
          part.unpack(await readAt(part.file, handle, at, part.record), data.subarray(n * bytes, (n + 1) * bytes));
        }),
      );
    return { data };
  };
  return { ...set, load };
}
