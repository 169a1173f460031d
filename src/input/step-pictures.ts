import { backend } from '../backend/backend.js';
import { HostArray } from '../compile/inputs.js';
import { ConfigError } from '../core/errors.js';
import { binary } from '../core/numbers.js';
import { asStream } from '../data/load-pictures.js';
import { inMemory, ofManyShapes, type PictureSource, type Pictures, type Pixels } from '../data/picture-source.js';
import { placeRows } from '../data/pictures.js';
import { state, type Tensor, tensor } from '../tensor/tensor.js';
import { LookAhead } from './look-ahead.js';

/** Pictures as a tensor for `augment`: u8 [N, H, W, 3], or [pixels, 3] where they have shapes of their own. */
export const pictureTensor = (p: Pictures): Tensor<'u8'> => tensor(p.data, shapeOf(p));

/** The shape of that tensor. */
export const shapeOf = (p: PictureSource): number[] =>
  inMemory(p) && p.places ? [p.data.length / 3, 3] : [p.count, p.height, p.width, 3];

/** Pictures resident on the device. @throws ConfigError where they do not fit into one of its buffers. */
export function resident(p: Pictures): Tensor {
  const { largest = Infinity, name } = backend();
  if (p.data.length <= largest) return state(pictureTensor(p));
  throw new ConfigError(
    `pictures: all that stay on the device must fit into one of its buffers, ${binary(largest)} on ${name}; ` +
      `got ${p.count} of ${p.width}×${p.height}, ${binary(p.data.length)}. Use fewer, or smaller ones.`,
  );
}

/** Pictures in memory that the device has a buffer for. */
export const fits = (p: PictureSource): p is Pictures =>
  inMemory(p) && p.data.length <= (backend().largest ?? Infinity);

/**
 * The pictures of a run's steps: all of them stay on the device, or each step's go there, copied or decoded while
 * others ran.
 */
export class StepPictures {
  /** The pictures, where they stay: see `pictureTensor`. */
  readonly resident?: Tensor;
  /** Whether steps need `rowsOf`. */
  readonly manyShapes: boolean;
  readonly #source: PictureSource;
  readonly #loaded?: LookAhead<Pixels[]>;

  /**
   * @param batches tells which pictures the step after so many others looks at, in equal `parts` that are uploaded
   * apart.
   * @param onDevice the pictures on the device, if they are there already.
   */
  constructor(
    source: PictureSource,
    batches: { of(done: number): Uint32Array },
    { steps, ahead, parts = 1 }: { steps: number; ahead: number; parts?: number },
    onDevice?: Tensor,
  ) {
    this.#source = source;
    this.manyShapes = ofManyShapes(source);
    this.resident = onDevice ?? (fits(source) ? resident(source) : undefined);
    if (this.resident) return;
    const stream = asStream(source);
    const partsOf = (all: Uint32Array) =>
      Array.from({ length: parts }, (_, i) => all.subarray((i * all.length) / parts, ((i + 1) * all.length) / parts));
    this.#loaded = new LookAhead(steps, ahead, (step, signal) =>
      Promise.all(partsOf(batches.of(step)).map((part) => stream.load(part, signal))),
    );
  }

  /** What the step after `step` others uploads for each part, if anything. Errors of its pictures are thrown here. */
  async take(step: number): Promise<Pixels[] | undefined> {
    return this.#loaded?.take(step);
  }

  /**
   * Where the pictures at `index` lie, u32 [N, 3], among those on the device or the `own` of a part; nothing if all
   * have one shape.
   */
  rowsOf(index: ArrayLike<number>, own?: Pixels): Uint32Array | undefined {
    return own ? own.places : placeRows(this.#source as Partial<Pixels>, index);
  }

  /** The pictures that a part uploads, as `onDevice` takes them. */
  hostPixels({ data }: Pixels): HostArray {
    const { height, width } = this.#source;
    return new HostArray(
      data,
      this.manyShapes ? [data.length / 3, 3] : [data.length / (3 * height * width), height, width, 3],
    );
  }

  /** The pictures that a part of a step sees: those that stay on the device, or its own. */
  onDevice(own?: Tensor): Tensor<'u8'> {
    return (this.resident ?? own!) as Tensor<'u8'>;
  }

  /**
   * Where among them those are whose numbers in the data set are `index`, for `augment`; `rows` of `rowsOf`, if there
   * are any, tell.
   */
  placesOf(index: Tensor, rows?: Tensor): Tensor {
    return rows ?? (this.resident ? index : tensor(Uint32Array.from({ length: index.size }, (_, i) => i)));
  }

  /** Stops decoding for steps to come. */
  giveUp(): void {
    this.#loaded?.clear();
  }
}
