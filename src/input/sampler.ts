import { HostArray, type OnDevice } from '../compile/inputs.js';
import { Rng } from '../core/rng.js';
import type { PictureSource, Pixels } from '../data/picture-source.js';
import { augment } from '../ops/augment.js';
import { AUGMENT_COLUMNS, type Augmentation, sampleAugmentation } from '../ops/augment_params.js';
import type { Tensor } from '../tensor/tensor.js';
import { AHEAD } from './look-ahead.js';
import { StepPictures } from './step-pictures.js';

/** Which pictures each step looks at: those of an epoch in an order by the seed and the epoch alone. */
export class Batches {
  readonly stepsPerEpoch: number;
  readonly #seed: number;
  readonly #size: number;
  readonly #count: number;
  /** Orders of two epochs at most: pictures are asked for ahead of the step. */
  readonly #orders = new Map<number, Uint32Array>();

  /** @param stepsPerEpoch without the last, smaller batch, or with it. */
  constructor({ seed, batch }: { seed: number; batch: number }, count: number, stepsPerEpoch: number) {
    this.stepsPerEpoch = stepsPerEpoch;
    this.#seed = seed;
    this.#size = batch;
    this.#count = count;
  }

  /** The epoch, from 0, of the step after `done` others. */
  epochOf(done: number): number {
    return Math.floor(done / this.stepsPerEpoch);
  }

  /** The pictures of that step. */
  of(done: number): Uint32Array {
    const at = (done % this.stepsPerEpoch) * this.#size;
    return this.#order(this.epochOf(done)).slice(at, at + this.#size);
  }

  #order(epoch: number): Uint32Array {
    const order = this.#orders.get(epoch) ?? new Rng(this.#seed, 'order', epoch).permutation(this.#count);
    if (this.#orders.size > 1)
      for (const old of this.#orders.keys()) if (Math.abs(old - epoch) > 1) this.#orders.delete(old);
    this.#orders.set(epoch, order);
    return order;
  }
}

/** What a backward pass takes of its N pictures, on the host. */
export interface PartSample {
  /** u32 [N], their numbers in the data set. */
  index: HostArray;
  /** f32 [N, 17] for each view, how `augment` makes it. */
  tables: HostArray[];
  /** u32 [N, 3], where they lie, if pictures have shapes of their own. */
  places?: HostArray;
  /** u8 [N, H, W, 3] or [pixels, 3], if pictures do not stay on the device. */
  pixels?: HostArray;
}

/** What a step takes, and how it came to be. */
export interface Sample<More> {
  /** The batch in parts whose gradients add up. */
  parts: (PartSample & More)[];
  /** When the sampler was asked for it, and milliseconds that it took: those of waiting for streamed pictures too. */
  began: number;
  dataMs: number;
  /** Whether its pictures were waited for. */
  streamed: boolean;
}

export interface SamplerOptions<More> {
  seed: number;
  /** Pictures a step. */
  batch: number;
  /** Steps in all; an epoch has as many batches as are full, or with `smaller` a last one of what is left. */
  epochs: number;
  smaller?: boolean;
  /** Equal parts of a batch (1). */
  parts?: number;
  /** The random views of each picture. */
  views: readonly Augmentation[];
  /** Pixels of a view. */
  size: number;
  /** What else part `number` of the run takes for the pictures at `index`. */
  more: (index: Uint32Array, number: number) => More;
  /** Steps whose streamed pictures are decoded before their turn (2). */
  ahead?: number;
  /** The pictures on the device, if they are there already. */
  resident?: Tensor;
}

/**
 * Everything that differs from one step of a run to the next: its pictures, their random views, and what a training
 * adds. It depends on the seed, the epoch, the step and the picture alone, so that a run may stop and go on anywhere.
 */
export class Sampler<More extends object = object> {
  readonly batches: Batches;
  readonly #set: PictureSource;
  readonly #options: SamplerOptions<More>;
  readonly #steps: number;
  readonly #pictures: StepPictures;
  /** The step sampled before its turn. */
  #next?: { step: number; parts: (PartSample & More)[]; ms: number };

  constructor(set: PictureSource, options: SamplerOptions<More>) {
    const { batch, epochs, smaller, parts = 1, ahead = AHEAD, resident } = options;
    this.#set = set;
    this.#options = options;
    this.batches = new Batches(options, set.count, (smaller ? Math.ceil : Math.floor)(set.count / batch));
    this.#steps = epochs * this.batches.stepsPerEpoch;
    this.#pictures = new StepPictures(set, this.batches, { steps: this.#steps, ahead, parts }, resident);
  }

  /** The pictures on the device, if they stay there. */
  get resident(): Tensor | undefined {
    return this.#pictures.resident;
  }

  /** What the step after `done` others takes. Errors of its pictures are thrown here. */
  async sample(done: number): Promise<Sample<More>> {
    const began = performance.now();
    const pixels = await this.#pictures.take(done);
    if (this.#next?.step !== done) this.#next = this.#draw(done, pixels);
    const { parts, ms } = this.#next;
    this.#next = undefined;
    if (!pixels) return { parts, began, dataMs: ms, streamed: false };
    const whole = parts.map((part, i) => ({ ...part, pixels: this.#pictures.hostPixels(pixels[i]) }));
    return { parts: whole, began, dataMs: performance.now() - began, streamed: true };
  }

  /**
   * Draws the views of that step while the device works on the one before, unless only its decoded pictures tell their
   * shapes.
   */
  lookAhead(done: number): void {
    if (done < this.#steps && (this.resident || !this.#pictures.manyShapes)) this.#next = this.#draw(done);
  }

  #draw(step: number, pixels?: readonly Pixels[]): { step: number; parts: (PartSample & More)[]; ms: number } {
    const began = performance.now();
    const { parts = 1 } = this.#options;
    const all = this.batches.of(step);
    const at = (i: number) => (i * all.length) / parts;
    const part = (_: unknown, i: number) =>
      this.#part(step, step * parts + i, all.slice(at(i), at(i + 1)), pixels?.[i]);
    return { step, parts: Array.from({ length: parts }, part), ms: performance.now() - began };
  }

  #part(step: number, number: number, index: Uint32Array, pixels?: Pixels): PartSample & More {
    const { seed, views, more } = this.#options;
    const { height, width } = this.#set;
    const places = this.#pictures.rowsOf(index, pixels);
    const draw = { seed, epoch: this.batches.epochOf(step), indices: index, height, width, places };
    const tables = views.map(
      (view, i) => new HostArray(sampleAugmentation(view, { ...draw, view: i }), [index.length, AUGMENT_COLUMNS]),
    );
    return {
      index: new HostArray(index),
      tables,
      ...(places && { places: new HostArray(places, [index.length, 3]) }),
      ...more(index, number),
    };
  }

  /** The views of a part on the device, f32 [N, size, size, 3] each. */
  views({ index, tables, places, pixels }: OnDevice<PartSample>): Tensor[] {
    const { views, size } = this.#options;
    const pictures = this.#pictures.onDevice(pixels);
    const at = this.#pictures.placesOf(index, places);
    return tables.map((table, i) => augment(pictures, at, table, { size, mean: views[i].mean, std: views[i].std }));
  }

  /** Stops decoding for steps to come. */
  giveUp(): void {
    this.#pictures.giveUp();
  }
}
