/** A picture that could not be used, and why. */
export interface Skipped {
  name: string;
  reason: string;
}

/** What is known of a data set without its pixels. Every picture is 8-bit RGB. */
export interface PictureSet {
  count: number;
  /** Of every picture; where pictures have shapes of their own, none has more than height × width pixels. */
  height: number;
  width: number;
  /** `[count]`, indices into `classes`. Absent for unlabelled pictures. */
  labels?: Uint32Array;
  classes?: string[];
  /** `[count]`: where each picture came from. */
  names: string[];
  /** Pictures of the source that could not be used. Decoding a streamed set may add to it. */
  skipped: Skipped[];
  /** What looks wrong with the source, or is left out of it, though it could be read. */
  warnings?: string[];
}

/** Pictures one after the other. */
export interface Pixels {
  /** `[count, height, width, 3]`, row-major NHWC, 0..255 in sRGB; with `places` rows of pixels `[pixels, 3]`. */
  data: Uint8Array;
  /** `[count, 3]`, where pictures have shapes of their own: the first pixel, height and width of each. */
  places?: Uint32Array;
}

/** A data set in memory. */
export interface Pictures extends PictureSet, Pixels {}

/** A data set whose pictures are decoded when they are asked for, so that it may be larger than memory. */
export interface StreamedPictures extends PictureSet {
  /**
   * Whether pictures have shapes of their own, which are known once they are decoded. Otherwise all are height × width.
   */
  manyShapes?: boolean;
  /**
   * The pictures at `indices`, the same bytes each time, in room for height × width pixels each: u8
   * [indices.length, height, width, 3]. Raising `signal` gives up. Several may be under way; the first asked for is
   * served first.
   */
  load(indices: ArrayLike<number>, signal?: AbortSignal): Promise<Pixels>;
}

/** Where pictures come from: memory, or a stream. */
export type PictureSource = Pictures | StreamedPictures;

export const inMemory = (p: PictureSource): p is Pictures => 'data' in p;

/** Whether the pictures of a set have shapes of their own. */
export const ofManyShapes = (p: PictureSource): boolean =>
  inMemory(p) ? p.places !== undefined : p.manyShapes === true;

/** Bytes of all pictures: what they take up in memory, or would at most if all were decoded at once. */
export const bytesOf = (p: PictureSource): number => (inMemory(p) ? p.data.length : p.count * p.height * p.width * 3);
