import { check, instance } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { checkShape, numel, show } from '../core/shape.js';
import { bytesOf, joinBytes } from './bytes.js';

/**
 * A NumPy .npy file, version 1.0 (numpy.org/doc/stable/reference/generated/numpy.lib.format.html), of f32 in row-major
 * order.
 */
export const encodeNpy = (values: Float32Array, shape: readonly number[]): Uint8Array =>
  joinBytes(npyParts(values, shape));

/** The same in parts, without a copy of the values. */
export function npyParts(values: Float32Array, shape: readonly number[]): Uint8Array[] {
  check('encodeNpy', 'the values', values, instance(Float32Array));
  checkShape('encodeNpy', shape);
  if (numel(shape) !== values.length)
    throw new ShapeError(
      `encodeNpy: the shape must hold every value; got ${values.length} values for ${show(shape)}. ` +
        `Correct one of them.`,
    );
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + dict.length + 1) / 64) * 64; // the data are aligned to 64 bytes
  const head = new Uint8Array(length);
  head.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0]);
  new DataView(head.buffer).setUint16(8, length - 10, true);
  head.set(new TextEncoder().encode(`${dict.padEnd(length - 11)}\n`), 10);
  return [head, bytesOf(values)];
}
