import { FormatError } from '../core/errors.js';
import { binary } from '../core/numbers.js';
import { joinBytes } from './bytes.js';
import { crc32 } from './crc.js';

/** One file of a zip archive. */
export interface ZipEntry {
  /** Unpacked bytes. */
  readonly size: number;
  readonly deflated: boolean;
  /** Its bytes. @throws FormatError where they do not unpack, or another checksum is told than theirs. */
  read(): Promise<Uint8Array>;
}

const [END, END64, LOCATOR64, CENTRAL, LOCAL] = [0x06054b50, 0x06064b50, 0x07064b50, 0x02014b50, 0x04034b50];
const [STORED, DEFLATED] = [0, 8];
const FULL = 0xffffffff; // the true number is in the zip64 field
const LARGEST = 2 ** 31; // bytes that a deflated file may unpack to; PyTorch deflates nothing

/**
 * The files of a zip archive by name (PKWARE APPNOTE 6.3; zip64 included), stored or deflated. A checksum of 0 is none:
 * PyTorch writes it where the data came later. @throws FormatError for one that is cut or contradicts itself.
 */
export function readZip(bytes: Uint8Array, name: string): Map<string, ZipEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const entries = new Map<string, ZipEntry>();
    let { at, count } = directory(view);
    for (; count > 0; count--) {
      if (view.getUint32(at, true) !== CENTRAL) throw new RangeError(`no directory entry at byte ${at}`);
      const [nameLength, extraLength, noteLength] = [28, 30, 32].map((o) => view.getUint16(at + o, true));
      const key = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
      entries.set(key, entry(bytes, view, at, nameLength, extraLength, `${name}: ${key}`));
      at += 46 + nameLength + extraLength + noteLength;
    }
    return entries;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FormatError(
      `${name}: a zip archive must end in a directory of its files; got '${error.message}'. ` +
        `The file is truncated or damaged: copy it again.`,
    );
  }
}

/** Where the directory begins and how many files it has. */
function directory(view: DataView): { at: number; count: number } {
  let end = view.byteLength - 22;
  for (const least = Math.max(0, end - 0xffff); end >= least && view.getUint32(end, true) !== END; ) end--;
  if (end < 0 || view.getUint32(end, true) !== END) throw new RangeError('no end of the directory');
  if (end >= 20 && view.getUint32(end - 20, true) === LOCATOR64) {
    const at = long(view, end - 12);
    if (view.getUint32(at, true) !== END64) throw new RangeError('no end of the zip64 directory');
    return { count: long(view, at + 32), at: long(view, at + 48) };
  }
  return { count: view.getUint16(end + 10, true), at: view.getUint32(end + 16, true) };
}

/** A 64-bit number; what is no safe integer lies outside of any file, and reading there is a RangeError. */
const long = (view: DataView, at: number): number => Number(view.getBigUint64(at, true));

function entry(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  nameLength: number,
  extraLength: number,
  name: string,
): ZipEntry {
  const method = view.getUint16(at + 10, true);
  const [packed, size, start] = zip64(
    view,
    at + 46 + nameLength,
    extraLength,
    [20, 24, 42].map((o) => view.getUint32(at + o, true)),
  );
  if (view.getUint32(start, true) !== LOCAL) throw new RangeError(`no file at byte ${start}`);
  const from = start + 30 + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
  if (from + packed > bytes.length) throw new RangeError(`${packed} bytes at byte ${from} of ${bytes.length}`);
  if (method !== STORED && method !== DEFLATED) throw new RangeError(`packing method ${method}`);
  if (method === STORED && packed !== size) throw new RangeError(`${packed} stored bytes of ${size}`);
  const data = bytes.subarray(from, from + packed);
  const sum = view.getUint32(at + 16, true);
  const read = async () => checked(method === STORED ? data : await inflate(data, size, name), sum, name);
  return { size, deflated: method === DEFLATED, read };
}

function checked(data: Uint8Array, sum: number, name: string): Uint8Array {
  if (sum === 0 || crc32(data) === sum) return data;
  throw new FormatError(
    `${name}: its bytes must have the checksum ${sum}; got ${crc32(data)}. The file is damaged: get it again. ` +
      'If it was saved without checksums (set_crc32_options), save it again with them.',
  );
}

/** Puts the 64-bit numbers of the extra field where 32 bits were too few. The order is: size, packed, start. */
function zip64(view: DataView, at: number, length: number, [packed, size, start]: number[]): number[] {
  for (let end = at + length; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    let next = at + 4;
    [size, packed, start] = [size, packed, start].map((v) => (v === FULL ? long(view, (next += 8) - 8) : v));
  }
  return [packed, size, start];
}

/** Unpacks piece by piece, so that no more is held than came out, and no more comes out than was promised. */
async function inflate(data: Uint8Array, size: number, name: string): Promise<Uint8Array> {
  if (size > LARGEST)
    throw new FormatError(
      `${name}: it must unpack to at most ${binary(LARGEST)}; got ${binary(size)}. Pack it again without compression.`,
    );
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    const reader = new Blob([data as Uint8Array<ArrayBuffer>])
      .stream()
      .pipeThrough(new DecompressionStream('deflate-raw'))
      .getReader();
    for (let next = await reader.read(); !next.done && length <= size; next = await reader.read()) {
      pieces.push(next.value);
      length += next.value.length;
    }
    if (length > size) await reader.cancel();
  } catch (error) {
    throw new FormatError(
      `${name}: packed data must unpack; got '${(error as Error).message}'. The file is damaged: copy it again.`,
    );
  }
  if (length !== size)
    throw new FormatError(
      `${name}: it must unpack to ${size} bytes; got ${length > size ? 'more' : length}. The file is damaged: ` +
        `copy it again.`,
    );
  return joinBytes(pieces);
}
