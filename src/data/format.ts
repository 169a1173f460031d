import type { FolderOptions } from './folder-plan.node.js';
import type { Pictures, StreamedPictures } from './picture-source.js';

/** Settings of `openPictures`: those of a folder hold for the other formats too. */
export interface OpenOptions extends FolderOptions {
  /** Of synthetic pictures alone: how many. Default 1000. */
  count?: number;
}

/** What a path names. */
export interface Place {
  readonly path: string;
  readonly kind: 'folder' | 'file' | 'nothing';
  /** Names of what lies in the folder; of the file alone. */
  readonly names: readonly string[];
}

/** A data set before its pixels are read. */
export interface PicturePlan {
  /** About how many bytes its pictures take up once they are decoded; 0 where they cannot be streamed. */
  decodedBytes(): Promise<number>;
  /** All pictures, in memory. */
  open(): Promise<Pictures>;
  /** The same pictures, bytes, labels and order, read when they are asked for. */
  stream(): Promise<StreamedPictures>;
}

/** A data format: a row of the registry, `formats`. */
export interface Format {
  readonly name: string;
  /** What is of this format, in words that follow "is". */
  readonly help: string;
  /**
   * The files, in order, that a place stands for in this format, or undefined where it is of another.
   * @throws FormatError where it is a neighbour of the format that is not read.
   */
  recognise(place: Place): readonly string[] | undefined;
  plan(files: readonly string[], options: OpenOptions): Promise<PicturePlan>;
  /** The test file that lies beside training files in a folder. */
  testFile?(place: Place): string | undefined;
}
