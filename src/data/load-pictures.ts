import { checkPictures } from './check.js';
import { inMemory, type PictureSource, type Pictures, type StreamedPictures } from './picture-source.js';
import { checkIndices, copyPictures, subset } from './pictures.js';

/** The pictures at `indices` in memory, whatever their source. */
export async function loadPictures(source: PictureSource, indices: ArrayLike<number>): Promise<Pictures> {
  checkPictures('loadPictures', source);
  const chosen = subset(source, indices);
  if (inMemory(chosen)) return chosen;
  const { load, manyShapes: _, ...about } = chosen;
  return { ...about, ...(await load(new Uint32Array(indices.length).map((_, i) => i))) };
}

/** The set as a stream: pictures in memory are copied out of it when they are asked for. */
export function asStream(source: PictureSource): StreamedPictures {
  if (!inMemory(source)) return source;
  const { data: _, places, ...about } = source;
  const load = async (indices: ArrayLike<number>) => {
    checkIndices('load', source, indices);
    return copyPictures(source, indices);
  };
  return { ...about, ...(places && { manyShapes: true }), load };
}
