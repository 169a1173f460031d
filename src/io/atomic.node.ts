import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { check, isRecord, shown, text } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { objectsIn } from './json.js';

let written = 0;

/** What a file is to hold. */
export type Content = Uint8Array | string | Iterable<Uint8Array | string>;

/** Bytes that are read, and letters that are written, at a time. */
const BLOCK = 2 ** 20;

/**
 * Writes `file` so that a reader sees the old content or the new, never a part: a temporary file in
 * the same folder, flushed to the disk, then renamed. Makes the folder. File system errors are passed on.
 *
 * @param content bytes, a text, or parts of them, which may be longer together than an array or a string can be.
 */
export async function writeAtomic(file: string, content: Content): Promise<void> {
  check('writeAtomic', 'the file', file, text);
  check('writeAtomic', 'the content', content, {
    is: 'bytes, a string or parts of them',
    holds: (v) => isPart(v) || ((isRecord(v) || Array.isArray(v)) && Symbol.iterator in v),
  });
  const folder = dirname(file);
  await mkdir(folder, { recursive: true });
  const temporary = join(folder, `.${basename(file)}.${process.pid}.${written++}.tmp`);
  try {
    await flush(temporary, content);
    await rename(temporary, file);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await flushFolder(folder);
}

const isPart = (v: unknown): boolean => typeof v === 'string' || v instanceof Uint8Array;

async function flush(file: string, content: Content): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    if (typeof content === 'string' || content instanceof Uint8Array) await handle.writeFile(content);
    else await writeParts(handle, content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes many short texts in few calls. */
async function writeParts(handle: FileHandle, parts: Iterable<Uint8Array | string>): Promise<void> {
  let text = '';
  for (const part of parts) {
    check('writeAtomic', 'each part', part, { is: 'bytes or a string', holds: isPart });
    if (typeof part === 'string') text += part;
    if (typeof part === 'string' && text.length < BLOCK) continue;
    await handle.writeFile(text);
    text = '';
    if (typeof part !== 'string') await handle.writeFile(part);
  }
  await handle.writeFile(text);
}

/** Makes the rename itself last. Windows cannot do this and does not need it. */
async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/**
 * Appends `value` as one line of JSON, e.g. to metrics.jsonl. If the last line was cut off when an
 * earlier run was killed, the new one begins on a line of its own. Numbers that JSON lacks become null.
 */
export async function appendLine(file: string, value: unknown): Promise<void> {
  check('appendLine', 'the file', file, text);
  const line = jsonOf(value);
  await mkdir(dirname(file), { recursive: true });
  const handle = await open(file, 'a+');
  try {
    const { size } = await handle.stat();
    const last = size > 0 ? (await handle.read(new Uint8Array(1), 0, 1, size - 1)).buffer[0] : 10;
    await handle.appendFile(`${last === 10 ? '' : '\n'}${line}\n`);
  } finally {
    await handle.close();
  }
}

/** @throws ConfigError for what JSON has no text for. */
function jsonOf(value: unknown): string {
  let line: string | undefined;
  try {
    line = JSON.stringify(value);
  } catch {
    // said below
  }
  if (line === undefined)
    throw new ConfigError(`appendLine: the value must be one that JSON holds; got ${shown(value)}. Convert it.`);
  return line;
}

/**
 * The objects of a file of JSON lines as it is read, none if there is no such file. A line that a crash cut off is left
 * out.
 * @throws FormatError for a line that holds something else.
 */
export function* readLines<T>(path: string): Generator<T> {
  if (!existsSync(path)) return;
  const file = openSync(path, 'r');
  try {
    const block = Buffer.alloc(BLOCK);
    let rest = Buffer.alloc(0);
    for (let read = readSync(file, block); read > 0; read = readSync(file, block)) {
      const bytes = Buffer.concat([rest, block.subarray(0, read)]);
      const end = bytes.lastIndexOf(10) + 1;
      yield* objectsIn(bytes.toString('utf8', 0, end), path) as Iterable<T>;
      rest = bytes.subarray(end);
    }
    yield* objectsIn(rest.toString(), path) as Iterable<T>;
  } finally {
    closeSync(file);
  }
}
