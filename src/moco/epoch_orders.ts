import { Rng } from '../core/rng.js';

/** The order of the pictures in each epoch, by the seed and the epoch alone. */
export class EpochOrders {
  readonly #seed: number;
  readonly #count: number;
  /** Of two epochs at most: pictures are asked for ahead of the step. */
  readonly #orders = new Map<number, Uint32Array>();

  constructor(seed: number, count: number) {
    this.#seed = seed;
    this.#count = count;
  }

  /** The pictures in the order of an epoch. */
  of(epoch: number): Uint32Array {
    const order = this.#orders.get(epoch) ?? new Rng(this.#seed, 'order', epoch).permutation(this.#count);
    if (this.#orders.size > 1) for (const old of this.#orders.keys()) if (Math.abs(old - epoch) > 1) this.#orders.delete(old);
    this.#orders.set(epoch, order);
    return order;
  }
}
