import { check, instance, text } from '../core/check.js';
import { FormatError } from '../core/errors.js';
import { fromHalf } from '../core/half.js';
import { readHeader } from './safetensors-header.js';
import type { Entry } from './safetensors-header.js';
import { STORED_ARRAYS } from './safetensors-types.js';
import type { StoredTensor } from './safetensors-types.js';

/** What a safetensors file holds: its tensors in the order of the file, and its metadata. */
export interface SafetensorsFile {
  tensors: Map<string, StoredTensor>;
  metadata: Record<string, string>;
}

/**
 * Reads a safetensors file; F16 and BF16 become F32. `name` is the file's, for messages. Everything
 * the header says is checked against the bytes that are there before anything is allocated; a file
 * that is cut short, damaged or not of this format is a FormatError. The tensors are copies.
 */
export function decodeSafetensors(bytes: Uint8Array, name: string): SafetensorsFile {
  check('decodeSafetensors', 'the bytes', bytes, instance(Uint8Array));
  check('decodeSafetensors', 'the name', name, text);
  const { entries, metadata, start } = readHeader(bytes, name);
  checkLayout(entries, bytes.length - start, name);
  const tensors = new Map(entries.map((e) => [e.name, load(e, copy(bytes, start + e.begin, start + e.end))]));
  return { tensors, metadata };
}

/** Sorts the entries by offset; they must cover the data without a gap or an overlap. */
function checkLayout(entries: Entry[], size: number, name: string): void {
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const e of entries) {
    if (e.begin !== at)
      throw new FormatError(`${name}: tensors follow each other without gaps; got '${e.name}' at byte ${e.begin} instead of ${at}. The file is damaged.`);
    at = e.end;
  }
  if (at !== size)
    throw new FormatError(
      `${name}: the header describes ${at} bytes of data; got ${size}. The file is ${size < at ? 'truncated' : 'longer than it should be'}: copy it again.`,
    );
}

/** The tensor in `bytes`, a fresh copy of its own. */
function load({ dtype, shape }: Entry, bytes: Uint8Array<ArrayBuffer>): StoredTensor {
  if (dtype === 'F16' || dtype === 'BF16') return { dtype: 'F32', shape, data: widen(dtype, new Uint16Array(bytes.buffer)) };
  return { dtype, shape, data: new STORED_ARRAYS[dtype](bytes.buffer) };
}

/** Half or brain floats to f32, exactly. */
function widen(dtype: 'F16' | 'BF16', halves: Uint16Array): Float32Array {
  if (dtype === 'F16') return Float32Array.from(halves, fromHalf);
  return new Float32Array(Uint32Array.from(halves, (h) => h << 16).buffer);
}

/** Bytes of their own. A Node Buffer's `slice` would share memory with the file, at any alignment. */
const copy = (bytes: Uint8Array, from: number, to: number): Uint8Array<ArrayBuffer> => Uint8Array.from(bytes.subarray(from, to));
