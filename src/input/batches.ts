import { Rng } from '../core/rng.js';

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
    if (this.#orders.size > 1) for (const old of this.#orders.keys()) if (Math.abs(old - epoch) > 1) this.#orders.delete(old);
    this.#orders.set(epoch, order);
    return order;
  }
}
