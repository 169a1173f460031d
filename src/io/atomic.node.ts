import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { copyFile, type FileHandle, link, mkdir, open, rename, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { check, isRecord, shown, text } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { crc32Text } from './crc.js';
import { objectsIn } from './json.js';
import { mayRun } from './process.node.js';

let written = 0;
/** Temporary files of this process that are being written. */
const underWay = new Set<string>();

/** What a file is to hold. */
export type Content = Uint8Array | string | Iterable<Uint8Array | string>;

/** Bytes that are read, and letters that are written, at a time. */
const BLOCK = 2 ** 20;
const LINE = 10;

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
  await mkdir(dirname(file), { recursive: true });
  await replaceFile(file, content);
}

/**
 * The same in a folder that must be there.
 * @param also what is done with the whole temporary file before it is renamed.
 */
export async function replaceFile(
  file: string,
  content: Content,
  also?: (temporary: string) => Promise<void>,
): Promise<void> {
  await viaTemporary(file, async (temporary) => {
    await flush(temporary, content);
    await also?.(temporary);
  });
}

/** Gives a file another name beside its own, which then stands for it whatever it stood for before. */
export async function replaceByLink(from: string, to: string): Promise<void> {
  await viaTemporary(to, (temporary) => link(from, temporary).catch(() => copyFile(from, temporary)));
}

async function viaTemporary(file: string, make: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryOf(file);
  underWay.add(temporary);
  try {
    await make(temporary);
    await rename(temporary, file);
  } finally {
    // still there after a failure, and where both names were one file already: renaming does nothing then
    await unlink(temporary).catch(() => undefined);
    underWay.delete(temporary);
  }
  await flushFolder(dirname(file));
}

/** A name that tells whose file it is. */
export const temporaryOf = (file: string): string =>
  join(dirname(file), `.${basename(file)}.${hostMark}.${process.pid}.${written++}.${mark()}.tmp`);

const mark = (): string => randomBytes(3).toString('hex');
const hostMark = crc32Text(new TextEncoder().encode(hostname()));
const TEMPORARY = /^\..+\.([0-9a-f]{8})\.(\d+)\.\d+\.[0-9a-f]{6}\.tmp$/;

/** Removes the temporary files of a folder that processes of this host left behind when they were killed. */
export function removeStale(folder: string): void {
  for (const name of readdirSync(folder)) {
    const [, host, pid] = TEMPORARY.exec(name) ?? [];
    if (host !== hostMark || underWay.has(join(folder, name))) continue;
    if (Number(pid) === process.pid || !mayRun({ pid: Number(pid), host: hostname(), began: '' }))
      rmSync(join(folder, name), { force: true });
  }
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
  const line = jsonLine('appendLine', value);
  await mkdir(dirname(file), { recursive: true });
  const handle = await open(file, 'a+');
  try {
    await handle.appendFile(`${(await isCut(handle)) ? '\n' : ''}${line}\n`);
  } finally {
    await handle.close();
  }
}

/** Whether the last line of a file was cut off when an earlier process was killed. */
export async function isCut(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  return size > 0 && (await handle.read(new Uint8Array(1), 0, 1, size - 1)).buffer[0] !== LINE;
}

/** @throws ConfigError for what JSON has no text for. */
export function jsonLine(where: string, value: unknown): string {
  let line: string | undefined;
  try {
    line = JSON.stringify(value);
  } catch {
    // said below
  }
  if (line === undefined)
    throw new ConfigError(`${where}: the value must be one that JSON holds; got ${shown(value)}. Convert it.`);
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
      const end = bytes.lastIndexOf(LINE) + 1;
      yield* objectsIn(bytes.toString('utf8', 0, end), path) as Iterable<T>;
      rest = bytes.subarray(end);
    }
    yield* objectsIn(rest.toString(), path) as Iterable<T>;
  } finally {
    closeSync(file);
  }
}
