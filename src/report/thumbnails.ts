import { loadPictures } from '../data/load-pictures.js';
import { ofManyShapes, type PictureSource } from '../data/picture-source.js';
import { pictureAt } from '../data/pictures.js';
import { squareThumbnail, thumbnail } from './thumbnail.js';

/** Pictures of a stream that are decoded at once. */
const PART = 256;

/**
 * The pictures at `indices` no larger than `most` pixels, u8 [indices.length, height, width, 3]; of pictures with
 * shapes of their own the squares in their middles. Of a stream never many are there in full size.
 */
export async function thumbnails(
  source: PictureSource,
  indices: Uint32Array | readonly number[],
  most: number,
): Promise<{ data: Uint8Array; height: number; width: number }> {
  const { height, width } = source;
  const own = ofManyShapes(source);
  const make = (p: { data: Uint8Array; height: number; width: number }) =>
    own ? squareThumbnail(p.data, p.width, p.height, most) : thumbnail(p.data, p.width, p.height, most);
  const small = own ? { height: most, width: most } : make({ data: new Uint8Array(height * width * 3), height, width });
  const bytes = small.height * small.width * 3;
  const data = new Uint8Array(indices.length * bytes);
  for (let first = 0; first < indices.length; first += PART) {
    const part = await loadPictures(source, indices.slice(first, first + PART));
    for (let i = 0; i < part.count; i++) data.set(make(pictureAt(part, i)).data, (first + i) * bytes);
  }
  return { data, height: small.height, width: small.width };
}
