import { above0, check } from '../core/check.js';
import type { Pretraining } from './pretrain.js';
import type { Position, Score } from './records.js';
import type { Run, Saved } from './run.node.js';

/** Minutes from one save to the next. */
export const SAVE_EVERY = 10;

export interface SaverOptions {
  /** Minutes from one save to the next, besides those at each epoch's end (10). */
  minutes?: number;
  /** Milliseconds of a clock that only goes forward. */
  now?: () => number;
  onSaved?: (saved: Saved) => void;
}

/** Saves a run while it trains: when it starts, every few minutes, and at the end of each epoch. */
export class Saver {
  readonly #run: Run;
  readonly #training: Pretraining;
  readonly #every: number;
  readonly #now: () => number;
  readonly #onSaved: SaverOptions['onSaved'];
  #last: number;
  /** The step that is saved, or on its way. */
  #step = -1;
  #underWay?: Promise<void>;
  #failed?: { error: unknown };

  constructor(run: Run, training: Pretraining, options: SaverOptions = {}) {
    const { minutes = SAVE_EVERY, now = () => performance.now(), onSaved } = options;
    check('Saver', 'the minutes', minutes, above0);
    this.#run = run;
    this.#training = training;
    this.#every = minutes * 60_000;
    this.#now = now;
    this.#onSaved = onSaved;
    this.#last = now();
  }

  /** Saves a run at its start, unless it was saved there: before anything is logged, which a save must count. */
  async begin(): Promise<void> {
    const { position } = this.#training;
    if ((await this.#run.savedStep()) === position.step) this.#step = position.step;
    else this.#start(position);
    await this.settled();
  }

  /** Begins to save if it is time, between two steps. @throws what an earlier save failed with. */
  handed(position: Position, reported: Promise<void>): void {
    this.#check();
    if (position.step % this.#training.stepsPerEpoch === 0) return; // the epoch's end is measured first: see `epoch`
    if (!this.#underWay && this.#now() - this.#last >= this.#every) this.#start(position, undefined, reported);
  }

  /** Begins to save the end of an epoch, once no other save is under way. */
  async epoch(position: Position, score?: Score): Promise<void> {
    await this.settled();
    this.#start(position, score);
  }

  /** Whether all that was trained is saved. */
  get isDone(): boolean {
    return !this.#underWay && this.#step === this.#training.position.step;
  }

  /** Saves where training stopped, unless that is done. */
  async end(): Promise<void> {
    await this.settled();
    if (this.#step === this.#training.position.step) return;
    this.#start(this.#training.position);
    await this.settled();
  }

  /** Waits for a save that is under way. @throws what it failed with. */
  async settled(): Promise<void> {
    await this.#underWay;
    this.#check();
  }

  #check(): void {
    if (this.#failed) throw this.#failed.error;
  }

  #start(position: Position, score?: Score, reported?: Promise<void>): void {
    this.#last = this.#now();
    this.#step = position.step;
    this.#underWay = this.#run
      .save(this.#training, position, score, reported)
      .then(
        (saved) => this.#onSaved?.(saved),
        (error: unknown) => {
          this.#failed = { error };
        },
      )
      .finally(() => {
        this.#underWay = undefined;
      });
  }
}
