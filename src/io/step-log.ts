import { shown } from '../core/check.js';
import { FormatError } from '../core/errors.js';
import type { Point } from '../core/points.js';
import { mean } from '../core/statistics.js';

/** What curves show of a step. */
const CURVES = ['loss', 'contrastTop1', 'contrastTop5', 'lr', 'queueFill', 'picturesPerSecond', 'gradNorm'] as const;
export type CurveName = (typeof CURVES)[number];

/** A step of f16 that was tried and not made: its loss is no part of any mean. */
export const wasSkipped = ({ lossScale, gradNorm }: Pick<ReportStep, 'lossScale' | 'gradNorm'>): boolean =>
  lossScale !== undefined && gradNorm === undefined;

/** Steps at the end of a run whose mean is reported as its loss and its contrast accuracy. */
export const LAST_STEPS = 10;

/** The mean over the last ten steps of a run, NaN if one of them is not finite. */
export const lastMean = <S extends ReportStep>(steps: readonly S[], read: (s: S) => number): number =>
  mean(
    steps
      .filter((s) => !wasSkipped(s))
      .slice(-LAST_STEPS)
      .map(read),
  );

/** One training step as it was logged; what was not finite is null in a file. */
export interface ReportStep {
  step: number;
  epoch: number;
  loss: number;
  /** How often the positive key has the largest logit, 0..1. */
  contrastTop1: number;
  contrastTop5?: number;
  lr: number;
  /** Filled share of the queue, 0..1. */
  queueFill?: number;
  picturesPerSecond?: number;
  /** Norm of the gradient of the first layer. */
  gradNorm?: number;
  /** Where this stands for many steps up to `step`, whose means the values are: how many had each, and its extremes. */
  run?: Partial<Record<CurveName, { count: number; least: number; most: number }>>;
  /** With precision f16: the loss scale of the next step, and steps skipped so far. */
  lossScale?: number;
  skipped?: number;
}

const FIELDS = ['step', 'epoch', ...CURVES, 'lossScale', 'skipped'] as const;

function checkStep(step: ReportStep): void {
  for (const name of FIELDS) {
    const value: unknown = step[name];
    if (typeof value === 'number' || (value ?? undefined) === undefined) continue;
    throw new FormatError(`metrics: ${name} of a step must be a number; got ${shown(value)}. Take the line out.`);
  }
  for (const name of ['step', 'epoch'] as const)
    if (!(Number.isSafeInteger(step[name]) && step[name] >= 0))
      throw new FormatError(
        `metrics: ${name} of a step must be a whole number, at least 0; got ${shown(step[name])}. Take the line out.`,
      );
}

/** Runs of steps that a long log is thinned to; twice as many at most. */
const RUNS = 2048;

/**
 * A log of steps that stays small however long it is: up to 4096 steps and the last ten stay as they are, longer
 * logs as runs of equally many steps, each the mean of its steps and their extremes.
 */
export class StepLog {
  readonly #runs: ReportStep[] = [];
  readonly #recent: ReportStep[] = [];
  #width = 1;

  /** @throws FormatError unless its fields are numbers, or null where they were not finite. */
  add(step: ReportStep): void {
    checkStep(step);
    this.#recent.push(step);
    if (this.#recent.length < LAST_STEPS + this.#width) return;
    this.#runs.push(runOf(this.#recent.splice(0, this.#width)));
    if (this.#runs.length < 2 * RUNS) return;
    for (let i = 0; i < RUNS; i++) this.#runs[i] = runOf(this.#runs.slice(2 * i, 2 * i + 2));
    this.#runs.length = RUNS;
    this.#width *= 2;
  }

  get steps(): ReportStep[] {
    return [...this.#runs, ...this.#recent];
  }
}

/** Steps as one: where the last of them was, and of each value that is finite in some of them, their mean. */
function runOf(steps: ReportStep[]): ReportStep {
  if (steps.length === 1) return steps[0];
  const { step, epoch } = steps.at(-1)!;
  const whole: ReportStep = { step, epoch, loss: NaN, contrastTop1: NaN, lr: NaN, run: {} };
  for (const name of CURVES) {
    let [sum, count, least, most] = [0, 0, Infinity, -Infinity];
    for (const { [name]: value, run } of steps) {
      if (!finite(value)) continue;
      const part = run?.[name] ?? { count: 1, least: value, most: value };
      [sum, count, least, most] = [
        sum + part.count * value,
        count + part.count,
        Math.min(least, part.least),
        Math.max(most, part.most),
      ];
    }
    if (count === 0) continue;
    whole[name] = sum / count;
    whole.run![name] = { count, least, most };
  }
  return whole;
}

const finite = (value: number | undefined): value is number => Number.isFinite(value);

/** A value of the steps that have it. */
export interface Curve {
  points: Point[];
  /** Steps that each point is the mean of. */
  weights: number[];
  /** The same with a run's lowest and highest value in place of its mean. */
  ends: Point[];
}

/** A curve over `x` of a step, by default its number. */
export function curveOf(steps: readonly ReportStep[], name: CurveName, x = ({ step }: ReportStep) => step): Curve {
  const curve: Curve = { points: [], weights: [], ends: [] };
  for (const s of steps) {
    const [value, run] = [s[name], s.run?.[name]];
    if (!finite(value)) continue;
    curve.points.push([x(s), value]);
    curve.weights.push(run?.count ?? 1);
    for (const end of run ? [run.least, run.most] : [value]) curve.ends.push([x(s), end]);
  }
  return curve;
}
