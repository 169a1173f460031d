import { ConfigError } from '../core/errors.js';
import { LookAhead } from '../data/look-ahead.js';
import { inMemory, type PictureSource } from '../data/source.js';
import { reshape } from '../ops/reshape.js';
import { type Tensor, tensor } from '../tensor.js';
import { resident } from './embed.js';

/** The pictures of a run's steps: all of them stay on the device, or each step's go there, decoded while others ran. */
export class StepPictures {
  /** u8 [count, H, W, 3], where they stay. */
  readonly resident?: Tensor;
  readonly #shape: [number, number, number];
  readonly #loaded?: LookAhead<Uint8Array>;

  /** @param order tells which pictures the step after so many others looks at. */
  constructor(source: PictureSource, order: { batch(done: number): ArrayLike<number> }, { steps, ahead }: { steps: number; ahead: number }) {
    this.#shape = [source.height, source.width, 3];
    if (inMemory(source)) this.resident = resident(source);
    else this.#loaded = new LookAhead(steps, ahead, (step, signal) => source.load(order.batch(step), signal));
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

/** Throws unless `ahead` is a number of steps. */
export function checkAhead(ahead: number): void {
  if (!(Number.isInteger(ahead) && ahead >= 0 && ahead <= 64))
    throw new ConfigError(`ahead: it is a whole number of steps in [0, 64]; got ${ahead}. Use 2.`);
}
