import { backend } from '../backend/backend.js';
import { ConfigError } from '../core/errors.js';
import { asStream } from '../data/load.js';
import { LookAhead } from '../data/look-ahead.js';
import type { Pictures } from '../data/pictures.js';
import { inMemory, type PictureSource } from '../data/source.js';
import { binary } from '../io/numbers.js';
import { reshape } from '../ops/reshape.js';
import { state, type Tensor, tensor } from '../tensor.js';

/** Pictures kept on the device, u8 [N, H, W, 3]. @throws ConfigError where they do not fit into one of its buffers. */
export function resident(p: Pictures): Tensor {
  const { largest = Infinity, name } = backend();
  if (p.data.length <= largest) return state(tensor(p.data, [p.count, p.height, p.width, 3]));
  throw new ConfigError(
    `pictures: all that stay on the device must fit into one of its buffers, ${binary(largest)} on ${name}; ` +
      `got ${p.count} of ${p.width}×${p.height}, ${binary(p.data.length)}. Use fewer, or smaller ones.`,
  );
}

/** Pictures in memory that the device has a buffer for. */
export const fits = (p: PictureSource): p is Pictures => inMemory(p) && p.data.length <= (backend().largest ?? Infinity);

/** The pictures of a run's steps: all of them stay on the device, or each step's go there, copied or decoded while others ran. */
export class StepPictures {
  /** u8 [count, H, W, 3], where they stay. */
  readonly resident?: Tensor;
  readonly #shape: [number, number, number];
  readonly #loaded?: LookAhead<Uint8Array>;

  /**
   * @param batches tells which pictures the step after so many others looks at.
   * @param kept the pictures on the device, if they are there already.
   */
  constructor(source: PictureSource, batches: { of(done: number): ArrayLike<number> }, { steps, ahead }: { steps: number; ahead: number }, kept?: Tensor) {
    this.#shape = [source.height, source.width, 3];
    this.resident = kept ?? (fits(source) ? resident(source) : undefined);
    const stream = asStream(source);
    if (!this.resident) this.#loaded = new LookAhead(steps, ahead, (step, signal) => stream.load(batches.of(step), signal));
  }

  /** What the step after `step` others uploads, if anything. Errors of its pictures are thrown here. */
  async take(step: number): Promise<Uint8Array | undefined> {
    return this.#loaded?.take(step);
  }

  /** The pictures that a step sees, of which `uploaded` are its own. */
  onDevice(uploaded: () => Tensor): Tensor<'u8'> {
    return (this.resident ?? reshape(uploaded(), [-1, ...this.#shape])) as Tensor<'u8'>;
  }

  /** Where among them those of a part are whose numbers in the data set are `index`. */
  placesOf(index: Tensor, part: number): Tensor {
    return this.resident ? index : tensor(Uint32Array.from({ length: index.size }, (_, i) => part * index.size + i));
  }

  /** Stops decoding for steps to come. */
  giveUp(): void {
    this.#loaded?.clear();
  }
}
