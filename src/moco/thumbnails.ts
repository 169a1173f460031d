import { loadPictures } from '../data/load.js';
import type { PictureSource } from '../data/source.js';
import { thumbnail } from '../io/thumbnail.js';

/** Pictures of a stream that are decoded at once. */
const PART = 256;

/** The pictures at `indices` no larger than `most` pixels, u8 [indices.length, height, width, 3]; of a stream never many in full size. */
export async function thumbnails(source: PictureSource, indices: Uint32Array | readonly number[], most: number): Promise<{ data: Uint8Array; height: number; width: number }> {
  const { height, width } = source;
  const bytes = height * width * 3;
  const small = thumbnail(new Uint8Array(bytes), width, height, most); // for its size
  const data = new Uint8Array(indices.length * small.data.length);
  for (let first = 0; first < indices.length; first += PART) {
    const part = await loadPictures(source, indices.slice(first, first + PART));
    for (let i = 0; i < part.count; i++)
      data.set(thumbnail(part.data.subarray(i * bytes, (i + 1) * bytes), width, height, most).data, (first + i) * small.data.length);
  }
  return { data, height: small.height, width: small.width };
}
