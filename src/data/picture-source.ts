import type { PictureSet, Pictures, Pixels } from './pictures.js';

/** A data set whose pictures are decoded when they are asked for, so that it may be larger than memory. */
export interface StreamedPictures extends PictureSet {
  /** Whether pictures have shapes of their own, which are known once they are decoded. Otherwise all are height × width. */
  manyShapes?: boolean;
  /**
   * The pictures at `indices`, the same bytes each time, in room for height × width pixels each: u8
   * [indices.length, height, width, 3]. Raising `signal` gives up. Several may be under way; the first asked for is served first.
   */
  load(indices: ArrayLike<number>, signal?: AbortSignal): Promise<Pixels>;
}

/** Where pictures come from: memory, or a stream. */
export type PictureSource = Pictures | StreamedPictures;

export const inMemory = (p: PictureSource): p is Pictures => 'data' in p;

/** Whether the pictures of a set have shapes of their own. */
export const ofManyShapes = (p: PictureSource): boolean => (inMemory(p) ? p.places !== undefined : p.manyShapes === true);

/** Bytes of all pictures: what they take up in memory, or would at most if all were decoded at once. */
export const bytesOf = (p: PictureSource): number => (inMemory(p) ? p.data.length : p.count * p.height * p.width * 3);
