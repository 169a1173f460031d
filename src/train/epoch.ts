import { mean } from '../core/statistics.js';
import { wasSkipped } from '../io/step-log.js';
import type { EpochRecord, Score, StepRecord } from './records.js';

/** Whether `a` is better than `b`, the best so far if there is one; of equals the earlier one stays. */
export function better(a: Score, b: Score | undefined): boolean {
  if (b === undefined || a.by !== b.by) return b === undefined || a.by === 'knn';
  return a.by === 'knn' ? a.value > b.value : a.value < b.value;
}

/** k-NN decides wherever it is measured at all, else the loss where losses compare. */
export function scoreOf(loss: number, knn: number | undefined, compares: boolean): { score?: Score } {
  if (knn !== undefined) return { score: { by: 'knn', value: knn } };
  return compares ? { score: { by: 'loss', value: loss } } : {};
}

/** The steps of the epoch under way. */
export class EpochMeans {
  #steps: StepRecord[] = [];

  add(record: StepRecord): void {
    this.#steps.push(record);
  }

  /** Ends an epoch. Losses compare once the queue held real keys in all of it: random ones are easy to tell apart. */
  end(epoch: number): EpochRecord & { settled: boolean } {
    const made = this.#steps.filter((s) => !wasSkipped(s));
    const settled = made.every(({ queueFill = 1 }) => queueFill === 1);
    this.#steps = [];
    return { epoch, loss: mean(made.map((s) => s.loss)), contrastTop1: mean(made.map((s) => s.contrastTop1)), settled };
  }
}
