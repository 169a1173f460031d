import { instance, isPlain, maybe, check as rule, shown, text } from '../core/check.js';
import { ConfigError, DTypeError, ShapeError } from '../core/errors.js';
import { numel } from '../core/shape.js';
import { bytesOf, joinBytes } from './bytes.js';
import { LARGEST_HEADER, STORED_ARRAYS, type StoredTensor } from './safetensors-types.js';

/**
 * A safetensors file (github.com/huggingface/safetensors, "Format"): the header's length as u64,
 * the header as JSON padded with spaces to a multiple of 8, then the data, little-endian and without
 * gaps. Wide elements come first, so that every tensor is aligned to its element size.
 * DTypeError or ShapeError: an array does not fit its type or shape. ConfigError: the header is longer than readers
 * accept.
 */
export const encodeSafetensors = (
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array => joinBytes(safetensorsParts(tensors, metadata));

/** The same in parts, without a copy of the tensors. */
export function safetensorsParts(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array[] {
  rule('encodeSafetensors', 'the tensors', tensors, instance(Map), 'Pass tensors by name.');
  rule(
    'encodeSafetensors',
    'the metadata',
    metadata,
    maybe({ is: 'an object of strings', holds: (v) => isPlain(v) && Object.values(v).every(text.holds) }),
  );
  for (const [name, tensor] of tensors) check(name, tensor);
  const ordered = [...tensors].sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  let end = 0;
  const entries = ordered.map(([name, { dtype, shape, data }]) =>
    entry(name, { dtype, shape, data_offsets: [end, (end += data.byteLength)] }),
  );
  if (metadata) entries.unshift(entry('__metadata__', metadata));
  const header = new TextEncoder().encode(`{${entries.join(',')}}`);
  if (header.length > LARGEST_HEADER)
    throw new ConfigError(
      `encodeSafetensors: the header must have at most ${LARGEST_HEADER} bytes; got ${header.length}. ` +
        `Shorten the metadata.`,
    );
  const start = 8 + Math.ceil(header.length / 8) * 8;
  const head = new Uint8Array(start).fill(0x20, 8);
  new DataView(head.buffer).setBigUint64(0, BigInt(start - 8), true);
  head.set(header, 8);
  return [head, ...ordered.map(([, { data }]) => bytesOf(data))];
}

/** One member of the header; spelt out because objects reorder names that look like numbers. */
const entry = (name: string, value: unknown): string => `${JSON.stringify(name)}:${JSON.stringify(value)}`;

function check(name: string, stored: StoredTensor): void {
  rule('encodeSafetensors', 'each name', name, text);
  rule('encodeSafetensors', `'${name}'`, stored, {
    is: 'an object of dtype, shape and data',
    holds: (v) => Object(v) === v && Array.isArray(v.shape),
  });
  const { dtype, shape, data } = stored;
  if (name === '__metadata__')
    throw new ConfigError(
      "encodeSafetensors: the name must not be '__metadata__', the format's own; got it for a tensor. " +
        'Rename the tensor.',
    );
  if (!Object.hasOwn(STORED_ARRAYS, dtype) || !(data instanceof STORED_ARRAYS[dtype]))
    throw new DTypeError(
      `encodeSafetensors: '${name}' must have the array of its element type; ` +
        `got ${shown(dtype)} and ${data?.constructor?.name}. Convert it first.`,
    );
  if (!shape.every((d) => Number.isSafeInteger(d) && d >= 0) || numel(shape) !== data.length)
    throw new ShapeError(
      `encodeSafetensors: '${name}' must have one value per element of its shape; ` +
        `got ${shown(shape)} and ${data.length} values. Correct the shape.`,
    );
}
