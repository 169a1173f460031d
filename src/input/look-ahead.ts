import { check, type Rule, whole } from '../core/check.js';

/** How many steps or batches are begun before their turn, if it is not said. */
export const AHEAD = 2;

export const aheadRule: Rule = { is: 'a whole number of steps in [0, 64]', holds: whole(0, 64).holds };

/** Throws unless `ahead` is a number of steps. */
export const checkAhead = (ahead: number): void => check('ahead', 'it', ahead, aheadRule, `Use ${AHEAD}.`);

/**
 * Values that `make(0)`, `make(1)` … `make(count - 1)` give later, begun before they are asked for: besides the one
 * that is in use there are never more than `ahead`. An error is thrown when its value is waited for.
 */
export class LookAhead<T> {
  readonly #count: number;
  readonly #ahead: number;
  readonly #make: (index: number, signal: AbortSignal) => Promise<T>;
  readonly #begun = new Map<number, Promise<T>>();
  #stop = new AbortController();

  constructor(count: number, ahead: number, make: (index: number, signal: AbortSignal) => Promise<T>) {
    this.#count = count;
    this.#ahead = ahead;
    this.#make = make;
  }

  /** The value at `index`; those after it are begun. Anything but the next one gives up what has been begun. */
  take(index: number): Promise<T> {
    if (!this.#begun.has(index)) this.clear();
    for (let i = index; i <= Math.min(index + this.#ahead, this.#count - 1); i++)
      if (!this.#begun.has(i)) this.#begin(i);
    const wanted = this.#begun.get(index)!;
    this.#begun.delete(index);
    return wanted;
  }

  #begin(index: number): void {
    const value = this.#make(index, this.#stop.signal);
    value.catch(() => undefined); // whoever takes it gets the error
    this.#begun.set(index, value);
  }

  /** Gives up what has been begun and not taken. */
  clear(): void {
    if (this.#begun.size === 0) return;
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#begun.clear();
  }
}
