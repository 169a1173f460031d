/**
 * Values that the device is still to give, as reads of a loop's steps: the loop waits for each a few steps later, so
 * that the device has work meanwhile and is never further behind than that.
 */
export class InFlight<T> {
  readonly #most: number;
  readonly #values: Promise<T>[] = [];
  /** How many of them have been waited for. */
  #waited = 0;

  /** @param most of them that are not there yet, the newest among them, before `add` waits. */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Takes a value on, and waits for the oldest if there are too many. @throws what that one failed with, in its turn.
   */
  async add(value: Promise<T>): Promise<void> {
    value.catch(() => undefined); // thrown where it is waited for
    this.#values.push(value);
    if (this.#values.length - this.#waited >= this.#most) await this.#values[this.#waited++];
  }

  /** Waits for all since the last call, and returns them in order. */
  all(): Promise<T[]> {
    this.#waited = 0;
    return Promise.all(this.#values.splice(0));
  }

  /** Waits until nothing is under way any more, whatever it came to. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#values);
  }
}
