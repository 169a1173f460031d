/** Part of an epoch's time in which the device may wait for pictures before that is reported. */
const TOLERATED = 0.1;

/** Tells whether the device runs out of work because the host waits for pictures. */
export class InputBound {
  /** Steps that the device works on, and when it last had none. */
  #working = 0;
  #idleSince = 0;
  /** Milliseconds of the epoch under way, and of those the device had no work in. */
  #stepMs = 0;
  #idleMs = 0;
  #reported = false;

  /**
   * The pictures of a step are there, waited for since `began`. Returns in how many milliseconds the device had no
   * work.
   */
  waited(began: number): number {
    const now = performance.now();
    return this.#working > 0 ? 0 : now - Math.max(began, this.#idleSince);
  }

  /** A step was handed to the device `stepMs` after the one before it, if it follows one. */
  handed(idleMs: number, stepMs?: number): void {
    this.#working++;
    if (stepMs === undefined) return;
    this.#idleMs += idleMs;
    this.#stepMs += stepMs;
  }

  /** The device has finished a step. */
  finished(): void {
    if (--this.#working === 0) this.#idleSince = performance.now();
  }

  /** At the end of an epoch: the part of its time in which the device waited, once, if it is more than a tenth. */
  endEpoch(): number | undefined {
    const part = this.#idleMs / this.#stepMs;
    this.#idleMs = this.#stepMs = 0;
    if (this.#reported || !(part > TOLERATED)) return undefined;
    this.#reported = true;
    return part;
  }
}
