import { ConfigError } from '../core/errors.js';
import { type Pictures, roomFor } from './picture-source.js';

/** Pictures centred on a black square of `size` pixels; a `size` they do not fit into is a ConfigError. */
export function padTo(p: Pictures, size: number): Pictures {
  if (p.height === size && p.width === size) return p;
  if (!Number.isInteger(size) || size < p.height || size < p.width)
    throw new ConfigError(
      `padTo: pictures of this format are padded, never shrunk; got size ${size} for pictures of ${p.height}x${p.width}. ` +
        `Use a size of at least ${Math.max(p.height, p.width)}.`,
    );
  const data = roomFor('padTo', p.count, size, size);
  const [top, left] = [(size - p.height) >> 1, (size - p.width) >> 1];
  for (let n = 0; n < p.count; n++)
    for (let y = 0; y < p.height; y++) {
      const from = (n * p.height + y) * p.width * 3;
      data.set(p.data.subarray(from, from + p.width * 3), ((n * size + y + top) * size + left) * 3);
    }
  return { ...p, data, height: size, width: size };
}
