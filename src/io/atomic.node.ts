import { existsSync, readFileSync } from 'node:fs';
import { mkdir, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { check, isRecord, text, told } from '../core/check.js';
import { ConfigError } from '../core/errors.js';

let written = 0;

/**
 * Writes `file` so that a reader sees the old content or the new, never a part: a temporary file in
 * the same folder, flushed to the disk, then renamed. Makes the folder. File system errors are passed on.
 *
 * @param content bytes, a text, or its parts, which may be longer together than a string can be.
 */
export async function writeAtomic(file: string, content: Uint8Array | string | Iterable<string>): Promise<void> {
  check('writeAtomic', 'the file', file, text);
  check('writeAtomic', 'the content', content, { is: 'bytes, a string or its parts', holds: (v) => typeof v === 'string' || v instanceof Uint8Array || (isRecord(v) || Array.isArray(v)) && Symbol.iterator in v });
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

function* texts(parts: Iterable<string>): Generator<string> {
  for (const part of parts) {
    check('writeAtomic', 'each part', part, text);
    yield part;
  }
}

async function flush(file: string, content: Uint8Array | string | Iterable<string>): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile((typeof content === 'string' || content instanceof Uint8Array ? content : texts(content)) as string); // its types leave out the iterable that it takes as well
    await handle.sync();
  } finally {
    await handle.close();
  }
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
  if (line === undefined) throw new ConfigError(`appendLine: the value must be one that JSON holds; got ${told(value)}. Convert it.`);
  return line;
}

/** The values of a file of JSON lines, none if there is no such file. A line that a crash cut off is left out. */
export function readLines<T>(path: string): T[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8').split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as T];
    } catch {
      return [];
    }
  });
}
