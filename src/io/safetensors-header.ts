import { FormatError } from '../core/errors.js';
import { visibleName } from '../core/visible.js';
import { refuseKind } from './file-kind.js';
import { parseJson } from './json.js';
import { LARGEST_HEADER } from './safetensors-types.js';

/** Bytes of one element of each type that is read. */
const BYTES = {
  F32: 4,
  I64: 8,
  I32: 4,
  U32: 4,
  U8: 1,
  F64: 8,
  F16: 2,
  BF16: 2,
  I16: 2,
  U16: 2,
  I8: 1,
  BOOL: 1,
} as const;

/** The types that are read. */
export type ReadDType = keyof typeof BYTES;

export const isRead = (dtype: string): dtype is ReadDType => Object.hasOwn(BYTES, dtype);

/** How the names of other types look: F8_E4M3, C64, U64. */
const TYPE = /^(F|I|U|C|BF)\d{1,3}(_\w{1,20})?$/;

/** One tensor as the header describes it; offsets count from the start of the data. */
export interface Entry {
  name: string;
  dtype: string;
  shape: number[];
  begin: number;
  end: number;
}

/** The checked header of the file `bytes`, and where its data starts. */
export function readHeader(
  bytes: Uint8Array,
  name: string,
): { entries: Entry[]; metadata: Record<string, string>; start: number } {
  const start = 8 + headerLength(bytes, name);
  const { __metadata__: notes, ...tensors } = parse(bytes.subarray(8, start), name, bytes);
  const entries = Object.entries(tensors).map(([key, value]) => readEntry(key, value, name));
  return { entries, metadata: readMetadata(notes, name), start };
}

function headerLength(bytes: Uint8Array, name: string): number {
  const length =
    bytes.length < 8 ? undefined : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true);
  const fits = length !== undefined && length <= BigInt(Math.min(LARGEST_HEADER, bytes.length - 8));
  if (length === undefined || (!fits && bytes[8] !== 0x7b)) return refuseKind(bytes, name);
  if (length > BigInt(LARGEST_HEADER))
    throw new FormatError(
      `${name}: a safetensors header must have at most ${LARGEST_HEADER} bytes; got ${length}. The file is damaged.`,
    );
  if (!fits)
    throw new FormatError(
      `${name}: the header must have ${length} bytes; got ${bytes.length - 8} after its length. ` +
        `The file is truncated: copy it again.`,
    );
  return Number(length);
}

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parse(bytes: Uint8Array, name: string, whole: Uint8Array): Json {
  if (bytes[0] !== 0x7b) return refuseKind(whole, name);
  let value: unknown;
  try {
    value = parseJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    throw new FormatError(
      `${name}: a safetensors header must be JSON in UTF-8, each name once; ` +
        `got '${(error as Error).message}'. The file is damaged.`,
    );
  }
  return value as Json; // it begins with a brace
}

function readMetadata(notes: unknown, name: string): Record<string, string> {
  if (notes === undefined) return {};
  if (!isObject(notes) || !Object.values(notes).every((v) => typeof v === 'string'))
    throw new FormatError(
      `${name}: __metadata__ must map strings to strings; got ${brief(notes)}. The file is damaged.`,
    );
  return notes as Record<string, string>;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function readEntry(key: string, value: unknown, name: string): Entry {
  const { dtype, shape, data_offsets: offsets } = isObject(value) ? value : ({} as Json);
  if (typeof dtype !== 'string' || !(isRead(dtype) || TYPE.test(dtype)))
    throw new FormatError(
      `${name}: '${visibleName(key)}' must be of a type such as F32, I64 or BOOL; ` +
        `got ${brief(dtype)}. The file is damaged.`,
    );
  if (!Array.isArray(shape) || !shape.every(isCount))
    throw new FormatError(
      `${name}: the shape of '${visibleName(key)}' must be a list of non-negative integers; got ${brief(shape)}. ` +
        `The file is damaged.`,
    );
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount) || offsets[0] > offsets[1])
    throw new FormatError(
      `${name}: the offsets of '${visibleName(key)}' must be its first byte and the byte after its last; ` +
        `got ${brief(offsets)}. The file is damaged.`,
    );
  const [begin, end] = offsets as number[];
  // inexact only where it is too large anyway
  const size = isRead(dtype) ? shape.reduce((n: number, d: number) => n * d, BYTES[dtype]) : end - begin;
  if (size !== end - begin)
    throw new FormatError(
      `${name}: '${visibleName(key)}', ${dtype} of shape ${brief(shape)}, must have ${size} bytes; ` +
        `got offsets for ${end - begin}. The file is damaged.`,
    );
  return { name: key, dtype, shape, begin, end };
}

/** A value as JSON, short enough for a message. */
function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
