import type { PictureSet, Pictures } from './pictures.js';

/** A data set whose pictures are decoded when they are asked for, so that it may be larger than memory. */
export interface StreamedPictures extends PictureSet {
  /**
   * The pictures at `indices`, u8 [indices.length, height, width, 3], the same bytes each time. Raising `signal` gives up.
   * Several may be under way; the first asked for is served first.
   */
  load(indices: ArrayLike<number>, signal?: AbortSignal): Promise<Uint8Array>;
}

/** Where pictures come from: memory, or a stream. */
export type PictureSource = Pictures | StreamedPictures;

export const inMemory = (p: PictureSource): p is Pictures => 'data' in p;
