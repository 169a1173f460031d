import { mean } from '../core/statistics.js';
import { wasSkipped } from '../report/run-data.js';
import type { StepRecord } from './records.js';

/** How good an encoder is: by k-NN accuracy where that is measured, the higher the better, else by the mean loss of an epoch. */
export interface Score {
  by: 'knn' | 'loss';
  value: number;
}

/** Whether `a` is better than `b`, the best so far if there is one; of equals the earlier one stays. */
export function better(a: Score, b: Score | undefined): boolean {
  if (b === undefined || a.by !== b.by) return b === undefined || a.by === 'knn';
  return a.by === 'knn' ? a.value > b.value : a.value < b.value;
}

/** What an epoch came to. */
export interface EpochRecord {
  epoch: number;
  /** Means over its steps, but for those that f16 skipped; NaN where one is not finite, or none was made. */
  loss: number;
  contrastTop1: number;
  /** Accuracy on the held-out pictures, where it was measured. */
  knn?: number;
  /** The same by the outputs of the head. */
  knnOutputs?: number;
  /** What decides whether this encoder is the best so far; absent where k-NN decides and was not measured, or losses do not compare yet. */
  score?: Score;
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
