import { check, instance, text } from '../core/check.js';
import { FormatError } from '../core/errors.js';
import { decodeHalves } from '../core/half.js';
import { visibleName } from '../core/visible.js';
import { checkSums } from './checksums.js';
import { type Entry, isRead, type ReadDType, readHeader } from './safetensors-header.js';
import { STORED_ARRAYS, type StoredTensor } from './safetensors-types.js';

/** What a safetensors file holds: its tensors in the order of the file, and its metadata. */
export interface SafetensorsFile {
  tensors: Map<string, StoredTensor>;
  metadata: Record<string, string>;
  /** Tensors of types that are not read (complex, 8-bit floats), with their types. */
  skipped: Map<string, string>;
}

/**
 * Reads a safetensors file. Floats of 64 and 16 bits become F32, integers of 16 and 8 bits I32, truth values U8; other
 * types are skipped. `name` is the file's, for messages. Everything the header says is checked against the bytes that
 * are there before anything is allocated; a file that is cut short, damaged or not of this format is a FormatError, and
 * so is one with checksums, as `saveCheckpoint` writes them, of other bytes. The tensors are copies.
 */
export function decodeSafetensors(bytes: Uint8Array, name: string): SafetensorsFile {
  check('decodeSafetensors', 'the bytes', bytes, instance(Uint8Array));
  check('decodeSafetensors', 'the name', name, text);
  const { entries, metadata, start } = readHeader(bytes, name);
  checkLayout(entries, bytes.length - start, name);
  const raw = entries.map(({ name: key, begin, end, ...e }) => {
    const tensor = { ...e, bytes: bytes.subarray(start + begin, start + end) };
    return [key, tensor] as const;
  });
  const said = checkSums(new Map(raw), metadata, name);
  const file: SafetensorsFile = { tensors: new Map(), metadata: said, skipped: new Map() };
  for (const { name: key, dtype, shape, begin, end } of entries)
    if (isRead(dtype)) file.tensors.set(key, load(dtype, shape, copy(bytes, start + begin, start + end)));
    else file.skipped.set(key, dtype);
  return file;
}

/** Sorts the entries by offset; they must cover the data without a gap or an overlap. */
function checkLayout(entries: Entry[], size: number, name: string): void {
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const e of entries) {
    if (e.begin !== at)
      throw new FormatError(
        `${name}: tensors must follow each other without gaps; ` +
          `got '${visibleName(e.name)}' at byte ${e.begin} instead of ${at}. The file is damaged.`,
      );
    at = e.end;
  }
  if (at !== size)
    throw new FormatError(
      `${name}: the data must have the ${at} bytes that the header describes; got ${size}. ` +
        `The file is ${size < at ? 'truncated' : 'longer than it should be'}: copy it again.`,
    );
}

/** Brain floats are the upper halves of f32's bits. */
function widenBrain(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i] << 16;
  return new Float32Array(bits.buffer);
}

/** What other types become. */
const WIDENED: Record<
  Exclude<ReadDType, StoredTensor['dtype']>,
  (bytes: ArrayBuffer) => [StoredTensor['dtype'], StoredTensor['data']]
> = {
  F64: (b) => ['F32', new Float32Array(new Float64Array(b))],
  F16: (b) => ['F32', decodeHalves(new Uint16Array(b))],
  BF16: (b) => ['F32', widenBrain(new Uint16Array(b))],
  I16: (b) => ['I32', new Int32Array(new Int16Array(b))],
  U16: (b) => ['I32', new Int32Array(new Uint16Array(b))],
  I8: (b) => ['I32', new Int32Array(new Int8Array(b))],
  BOOL: (b) => ['U8', new Uint8Array(b)],
};

/** The tensor in `bytes`, a fresh copy of its own. */
function load(type: ReadDType, shape: number[], { buffer }: Uint8Array<ArrayBuffer>): StoredTensor {
  if (type in STORED_ARRAYS)
    return {
      dtype: type as StoredTensor['dtype'],
      shape,
      data: new STORED_ARRAYS[type as StoredTensor['dtype']](buffer),
    };
  const [dtype, data] = WIDENED[type as keyof typeof WIDENED](buffer);
  return { dtype, shape, data };
}

/** Bytes of their own. A Node Buffer's `slice` would share memory with the file, at any alignment. */
const copy = (bytes: Uint8Array, from: number, to: number): Uint8Array<ArrayBuffer> =>
  new Uint8Array(bytes.subarray(from, to));
