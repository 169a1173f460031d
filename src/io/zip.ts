import { FormatError } from '../core/errors.js';
import { mostUnpacked, refuseUnpacked } from '../core/unpacked.js';
import { visibleName } from '../core/visible.js';
import { joinBytes } from './bytes.js';
import { crc32 } from './crc.js';

/** One file of a zip archive. */
export interface ZipEntry {
  /** Unpacked bytes. */
  readonly size: number;
  readonly deflated: boolean;
  /** Its bytes. @throws FormatError where they do not unpack, or the checksum is not theirs. */
  read(): Promise<Uint8Array>;
}

const [END, END64, LOCATOR64, CENTRAL, LOCAL] = [0x06054b50, 0x06064b50, 0x07064b50, 0x02014b50, 0x04034b50];
const [STORED, DEFLATED] = [0, 8];
const FULL = 0xffffffff; // the true number is in the zip64 field
/** Flags of what is not read: encrypted, patched, strongly encrypted, masked headers; of sizes after the data. */
const [UNREAD, LATER] = [0b0010_0000_0110_0001, 0b1000];
const LONGEST_NOTE = 24; // bytes behind data whose sizes are given there

/** An entry with its place: from its header to behind its data. */
interface Placed extends ZipEntry {
  readonly start: number;
  readonly end: number;
  readonly later: boolean;
}

/**
 * The files of a zip archive by name (PKWARE APPNOTE 6.3; zip64 included), stored or deflated. A checksum of 0 is none:
 * PyTorch writes it where the data came later. The files must lie one after another from the first byte, each named
 * alike in its header and in the one directory: two programs then read the same archive.
 * @throws FormatError for one that is cut, contradicts itself or unpacks to much more than a real one.
 */
export function readZip(bytes: Uint8Array, name: string): Map<string, ZipEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const entries = new Map<string, Placed>();
    const { start, end, count } = directory(view);
    let at = start;
    for (let n = 0; n < count; n++) {
      if (view.getUint32(at, true) !== CENTRAL) throw new RangeError(`no directory entry at byte ${at}`);
      const [nameLength, extraLength, noteLength] = [28, 30, 32].map((o) => view.getUint16(at + o, true));
      const key = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
      if (entries.has(key)) throw new RangeError(`two files called ${visibleName(key, 80)}`);
      entries.set(key, entry(bytes, view, at, nameLength, extraLength, `${name}: ${visibleName(key, 80)}`));
      at += 46 + nameLength + extraLength + noteLength;
    }
    if (at !== end) throw new RangeError(`a directory of ${at - start} bytes of ${end - start}`);
    checkPlaces([...entries.values()], start);
    checkUnpacked([...entries.values()], bytes.length, name);
    return entries;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FormatError(
      `${name}: a zip archive must hold its files one after another and end in one directory of them; ` +
        `got '${error.message}'. The file is truncated or damaged: copy it again.`,
    );
  }
}

/** Files follow each other without overlap; nothing lies between them but sizes that are given later. */
function checkPlaces(entries: Placed[], directoryAt: number): void {
  let at = 0;
  let spare = 0;
  for (const { start, end, later } of [...entries].sort((a, b) => a.start - b.start)) {
    if (start < at || start > at + spare) throw new RangeError(`a file at byte ${start} instead of ${at}`);
    [at, spare] = [end, later ? LONGEST_NOTE : 0];
  }
  if (directoryAt < at || directoryAt > at + spare)
    throw new RangeError(`a directory at byte ${directoryAt}, not ${at}`);
}

function checkUnpacked(entries: Placed[], packed: number, name: string): void {
  const unpacked = entries.reduce((n, { size, deflated }) => n + (deflated ? size : 0), 0);
  if (unpacked > mostUnpacked(packed)) refuseUnpacked(name, packed);
}

/** Where the one directory begins and ends, and how many files it has. */
function directory(view: DataView): { start: number; end: number; count: number } {
  const ends: number[] = [];
  for (let at = view.byteLength - 22; at >= Math.max(0, view.byteLength - 22 - 0xffff); at--)
    if (view.getUint32(at, true) === END && at + 22 + view.getUint16(at + 20, true) === view.byteLength) ends.push(at);
  if (ends.length !== 1) throw new RangeError(ends.length > 1 ? 'two directories' : 'no end of the directory');
  const [end] = ends;
  const [count, size, start] = [
    view.getUint16(end + 10, true),
    view.getUint32(end + 12, true),
    view.getUint32(end + 16, true),
  ];
  const found =
    end >= 20 && view.getUint32(end - 20, true) === LOCATOR64
      ? directory64(view, end - 20, [count, size, start])
      : { start, end, size, count };
  if (found.start + found.size !== found.end)
    throw new RangeError(`a directory that ends at ${found.start + found.size}`);
  return found;
}

/** The same of zip64; numbers that fit into the short record stand there too. */
function directory64(view: DataView, locator: number, [count, size, start]: number[]) {
  const at = long(view, locator + 8);
  if (view.getUint32(at, true) !== END64 || at + 12 + long(view, at + 4) !== locator)
    throw new RangeError('no end of the zip64 directory');
  const found = { count: long(view, at + 32), size: long(view, at + 40), start: long(view, at + 48), end: at };
  const sizes64: [number, number, number][] = [
    [count, found.count, 0xffff],
    [size, found.size, FULL],
    [start, found.start, FULL],
  ];
  if (sizes64.some(([short, whole, full]) => short !== whole && short !== full))
    throw new RangeError('two directories');
  return found;
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
): Placed {
  const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
  const [packed, size, start] = zip64(
    view,
    at + 46 + nameLength,
    extraLength,
    [20, 24, 42].map((o) => view.getUint32(at + o, true)),
  );
  if (view.getUint32(start, true) !== LOCAL) throw new RangeError(`no file at byte ${start}`);
  const from = start + 30 + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
  const end = from + packed;
  if (end > bytes.length) throw new RangeError(`${packed} bytes at byte ${from} of ${bytes.length}`);
  if (method !== STORED && method !== DEFLATED) throw new RangeError(`packing method ${method}`);
  if (flags & UNREAD) throw new RangeError(`an encrypted or patched file, flags ${flags}`);
  if (method === STORED && packed !== size) throw new RangeError(`${packed} stored bytes of ${size}`);
  const later = (flags & LATER) !== 0;
  checkHeader(bytes, view, at, start, [packed, size], later);
  const data = bytes.subarray(from, end);
  const sum = view.getUint32(at + 16, true);
  const read = async () => checked(method === STORED ? data : await inflate(data, size, name), sum, name);
  return { size, deflated: method === DEFLATED, read, start, end, later };
}

/** A file's own header must say what the directory says: which of the two a program reads is its own affair. */
function checkHeader(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  start: number,
  [packed, size]: number[],
  later: boolean,
): void {
  const same = (central: number, local: number) =>
    view.getUint16(at + central, true) === view.getUint16(start + local, true);
  const sizes = [view.getUint32(start + 18, true), view.getUint32(start + 22, true)];
  const alike = [packed, size].every((s, i) => sizes[i] === s || sizes[i] === FULL || (later && sizes[i] === 0));
  const length = view.getUint16(at + 28, true);
  let named = same(28, 26);
  for (let i = 0; named && i < length; i++) named = bytes[at + 46 + i] === bytes[start + 30 + i];
  if (!(same(8, 6) && same(10, 8) && alike && named))
    throw new RangeError(`a file at byte ${start} that the directory tells otherwise`);
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
