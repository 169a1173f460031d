import { ConfigError } from '../core/errors.js';
import { roomFor } from './picture-memory.js';
import { inMemory, type PictureSet, type PictureSource } from './picture-source.js';

/** Pictures centred on a black square of `size` pixels; a `size` they do not fit into is a ConfigError. */
export function padTo<S extends PictureSource>(p: S, size: number): S {
  if (p.height === size && p.width === size) return p;
  if (!Number.isInteger(size) || size < p.height || size < p.width)
    throw new ConfigError(
      `padTo: pictures of this format must be padded, never shrunk; ` +
        `got size ${size} for pictures of ${p.height}x${p.width}. ` +
        `Use a size of at least ${Math.max(p.height, p.width)}.`,
    );
  const square = { ...p, height: size, width: size };
  if (inMemory(p)) return { ...square, data: padded(p.data, p, size) };
  const load: typeof p.load = async (...asked) => ({ data: padded((await p.load(...asked)).data, p, size) });
  return { ...square, load };
}

function padded(from: Uint8Array, { height, width }: Pick<PictureSet, 'height' | 'width'>, size: number): Uint8Array {
  const [row, count] = [3 * width, from.length / (3 * height * width)];
  const data = roomFor('padTo', count, size, size);
  const [top, left] = [(size - height) >> 1, (size - width) >> 1];
  for (let n = 0; n < count; n++)
    for (let y = 0; y < height; y++) {
      const at = (n * height + y) * row;
      data.set(from.subarray(at, at + row), ((n * size + y + top) * size + left) * 3);
    }
  return data;
}
