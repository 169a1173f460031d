import { FormatError } from '../../src/core/errors.js';
import type { Tally } from './trial.js';

/** What a reader may take for one file: the time, and bytes of what it gives back over the file's own. */
const LONGEST = 1000; // ms
const LARGEST = 4; // times the file's bytes
const FLOOR = 2 ** 20; // bytes that any file may become

/** A file that a trial made, and what must come of it: a value that `right` accepts, a refusal, or either. */
export interface Input {
  bytes: Uint8Array;
  must?: 'read' | 'refuse';
  /** Throws, or says what is wrong with what was read. */
  right?: (value: any) => string | undefined | Promise<string | undefined>;
}

export type Reader = (bytes: Uint8Array) => unknown;

/** Reads a file as a stranger's: a right answer or one FormatError, in time and in memory. */
export async function attempt(tally: Tally, what: string, read: Reader, input: Input): Promise<void> {
  const lose = (why: string) => tally.lose(`${what}: ${why}; ${told(input.bytes)}`);
  const from = performance.now();
  let value: unknown;
  let refused: unknown;
  try {
    value = read(input.bytes);
    if (value instanceof Promise) value = await value;
  } catch (error) {
    refused = error;
  }
  const took = performance.now() - from;
  if (took > LONGEST && (await again(read, input.bytes)) > LONGEST) lose(`it took ${took.toFixed(0)} ms`);
  if (refused !== undefined) {
    tally.count(`${what} refused`);
    if (!(refused instanceof FormatError)) lose(`it threw ${(refused as Error)?.stack ?? String(refused)}`);
    else if (refused.message.length > 2000) lose(`the message has ${refused.message.length} letters`);
    else if (input.must === 'read') lose(`a sound file was refused: ${refused.message}`);
    return;
  }
  tally.count(`${what} read`);
  if (input.must === 'refuse') lose('a bad file was read');
  const size = bytesIn(value);
  if (size > LARGEST * input.bytes.length + FLOOR) lose(`it became ${size} bytes`);
  const wrong = await input.right?.(value);
  if (wrong) lose(wrong);
}

/** Another try, so that a pause of the machine is not taken for the reader's. */
async function again(read: Reader, bytes: Uint8Array): Promise<number> {
  const from = performance.now();
  await Promise.resolve()
    .then(() => read(bytes))
    .catch(() => undefined);
  return performance.now() - from;
}

/** Bytes of the arrays and texts in a value, each counted once. */
function bytesIn(value: unknown): number {
  const seen = new Set<unknown>();
  let bytes = 0;
  const left = [value];
  for (let v = left.pop(); v !== undefined || left.length > 0; v = left.pop()) {
    if (typeof v === 'string') bytes += v.length;
    if (typeof v !== 'object' || v === null || seen.has(v)) continue;
    seen.add(v);
    if (ArrayBuffer.isView(v)) bytes += v.byteLength;
    else if (v instanceof Map) for (const pair of v) left.push(...pair);
    else if (v instanceof Set || Array.isArray(v)) for (const x of v) left.push(x);
    else for (const x of Object.values(v)) left.push(x);
    bytes += 16;
  }
  return bytes;
}

const told = (bytes: Uint8Array): string =>
  bytes.length > 3000 ? `${bytes.length} bytes` : `base64 ${Buffer.from(bytes).toString('base64')}`;
