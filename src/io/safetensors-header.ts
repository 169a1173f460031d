import { FormatError } from '../core/errors.js';
import { LARGEST_HEADER } from './safetensors-types.js';
import type { StoredDType } from './safetensors-types.js';

/** Bytes of one element of each type that is read. */
const BYTES = { F32: 4, I64: 8, I32: 4, U32: 4, U8: 1, F16: 2, BF16: 2 } as const;

/** One tensor as the header describes it; offsets count from the start of the data. */
export interface Entry {
  name: string;
  dtype: StoredDType | 'F16' | 'BF16';
  shape: number[];
  begin: number;
  end: number;
}

/** The checked header of the file `bytes`, and where its data starts. */
export function readHeader(bytes: Uint8Array, name: string): { entries: Entry[]; metadata: Record<string, string>; start: number } {
  const start = 8 + headerLength(bytes, name);
  const { __metadata__: notes, ...tensors } = parse(bytes.subarray(8, start), name);
  const entries = Object.entries(tensors).map(([key, value]) => readEntry(key, value, name));
  return { entries, metadata: readMetadata(notes, name), start };
}

function headerLength(bytes: Uint8Array, name: string): number {
  if (bytes.length < 8)
    throw new FormatError(`${name}: a safetensors file must begin with 8 bytes of header length; got ${bytes.length} bytes. The file is truncated: copy it again.`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true);
  if (length > BigInt(LARGEST_HEADER))
    throw new FormatError(`${name}: a safetensors header must have at most ${LARGEST_HEADER} bytes; got ${length}. Is it a safetensors file?`);
  if (length > BigInt(bytes.length - 8))
    throw new FormatError(`${name}: the header has ${length} bytes; got ${bytes.length - 8} after its length. The file is truncated: copy it again.`);
  return Number(length);
}

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

function parse(bytes: Uint8Array, name: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    throw new FormatError(`${name}: a safetensors header is JSON in UTF-8; got '${(error as Error).message}'. The file is damaged or of another format.`);
  }
  if (bytes[0] !== 0x7b || !isObject(value))
    throw new FormatError(`${name}: a safetensors header is a JSON object; got something else. The file is damaged or of another format.`);
  return value;
}

function readMetadata(notes: unknown, name: string): Record<string, string> {
  if (notes === undefined) return {};
  if (!isObject(notes) || !Object.values(notes).every((v) => typeof v === 'string'))
    throw new FormatError(`${name}: __metadata__ maps strings to strings; got ${brief(notes)}. The file is damaged.`);
  return notes as Record<string, string>;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function readEntry(key: string, value: unknown, name: string): Entry {
  const { dtype, shape, data_offsets: offsets } = isObject(value) ? value : ({} as Json);
  if (typeof dtype !== 'string' || !Object.hasOwn(BYTES, dtype))
    throw new FormatError(`${name}: '${key}' must be of type ${Object.keys(BYTES).join(', ')}; got ${brief(dtype)}. Convert the tensor, or leave it out.`);
  if (!Array.isArray(shape) || !shape.every(isCount))
    throw new FormatError(`${name}: the shape of '${key}' is a list of non-negative integers; got ${brief(shape)}. The file is damaged.`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount) || offsets[0] > offsets[1])
    throw new FormatError(`${name}: the offsets of '${key}' are its first byte and the byte after its last; got ${brief(offsets)}. The file is damaged.`);
  const type = dtype as Entry['dtype'];
  const [begin, end] = offsets as number[];
  const size = shape.reduce((n: number, d: number) => n * d, BYTES[type]); // inexact only where it is too large anyway
  if (size !== end - begin)
    throw new FormatError(`${name}: '${key}', ${type} of shape ${brief(shape)}, has ${size} bytes; got offsets for ${end - begin}. The file is damaged.`);
  return { name: key, dtype: type, shape, begin, end };
}

/** A value as JSON, short enough for a message. */
function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
