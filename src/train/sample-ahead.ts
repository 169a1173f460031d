import type { TypedArray } from '../core/dtype.js';
import { type Drawer, type Draws, mapDraws } from './sampler.js';

/** What a step draws, the same as a list in the order of `mapDraws`, and the milliseconds it took. */
export interface Drawn {
  readonly step: number;
  readonly draws: Draws;
  readonly inputs: readonly TypedArray[];
  readonly ms: number;
}

/** Draws a step while the device works on the one before. As draws depend on the step alone, nothing has to be saved. */
export class DrawnAhead {
  readonly #drawer: Drawer;
  #next?: Drawn;

  constructor(drawer: Drawer) {
    this.#drawer = drawer;
  }

  /** Draws the step after `step` others, for `take`; `places` as for `Drawer`. */
  prepare(step: number, places?: Uint32Array): Drawn {
    const began = performance.now();
    const draws = this.#drawer.draw(step, places);
    const inputs: TypedArray[] = [];
    mapDraws(draws, (list) => inputs.push(list));
    return (this.#next = { step, draws, inputs, ms: performance.now() - began });
  }

  /** What was drawn ahead, or draws now: always where only the decoded pictures tell their `places`. */
  take(step: number, places?: Uint32Array): Drawn {
    const drawn = this.#next?.step === step && !places ? this.#next : this.prepare(step, places);
    this.#next = undefined;
    return drawn;
  }
}
