import { checkPictures } from './check.js';
import { type Pictures, subset } from './pictures.js';
import { inMemory, type PictureSource } from './source.js';

/** The pictures at `indices` in memory, whatever their source. */
export async function loadPictures(source: PictureSource, indices: ArrayLike<number>): Promise<Pictures> {
  checkPictures('loadPictures', source);
  const chosen = subset(source, indices);
  if (inMemory(chosen)) return chosen;
  const { load, ...about } = chosen;
  return { ...about, data: await load(Array.from(indices, (_, i) => i)) };
}
