import { existsSync } from 'node:fs';
import { DivergedError } from '../core/errors.js';
import type { Pictures } from '../data/picture-source.js';
import { scaledText } from '../eval/monitors.js';
import { rawPixelAccuracy } from '../eval/raw-pixels.js';
import { type GalleryRow, galleryRows } from '../report/nearest-gallery.js';
import type { Metric } from '../train/metrics.node.js';
import type { Pretraining } from '../train/pretrain.js';
import type { PretrainHooks, StepRecord, StepTiming } from '../train/records.js';
import type { Run, Saved } from '../train/run.node.js';
import { Saver } from '../train/saver.node.js';
import { afterwards, interruptible } from './interrupt.js';
import type { Output } from './output.js';
import { Progress } from './progress.js';
import { writeReport } from './report.js';
import { resultsOf, resultTable } from './results.js';
import { Board } from './tensorboard.js';

const INTERRUPTED = 130;
/** What is saved already is not waited for longer than this, whatever else is under way: baselines, compilation. */
const STOP_MS = 800;

/** What training shows. */
export interface TrainOptions {
  out: Output;
  chart: boolean;
  tensorboard: boolean;
  /** Minutes from one save to the next. */
  saveEvery?: number;
}

/**
 * Trains to the end or until interrupted, saving and logging on the way, and writes the report. Returns the exit code.
 */
export async function train(
  run: Run,
  training: Pretraining,
  skipped: Pictures['skipped'],
  { out, chart, tensorboard, saveEvery }: TrainOptions,
): Promise<number> {
  const progress = progressOf(training, out, chart);
  const board = tensorboard ? new Board(run, training) : undefined;
  const saves = new Saves(out);
  const saver = new Saver(run, training, { minutes: saveEvery, onSaved: (saved) => saves.add(saved) });
  const began = Date.now();
  const report = (rows?: GalleryRow[]) => writeReport(run, training, skipped, rows, (Date.now() - began) / 1000);
  try {
    const say = (text: string) => progress.say(text);
    const finished = await interruptible(say, async (signal) => {
      const stopped = afterwards(signal, STOP_MS, () => saver.isDone).then(() => false);
      const done = await Promise.race([advance(run, training, { progress, board, saver, signal }), stopped]);
      await saver.end();
      return done;
    }).finally(() => progress.end());
    await run.written();
    tellScaled(run, out);
    if (finished) {
      const rows = await galleryOf(training);
      await board?.gallery(rows);
      await report(rows);
    } else await report(); // who stops it does not wait for features
    await board?.written();
    tellResults(run, training, finished, saves.text, out);
    return finished ? 0 : INTERRUPTED;
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    training.warnings.push(error.message);
    await run.written();
    await report();
    throw new DivergedError(`${error.message} ${await lastGood(run)}`);
  } finally {
    await board?.written().catch(() => undefined); // it failed with the rest
  }
}

async function galleryOf(training: Pretraining): Promise<GalleryRow[]> {
  const { heldOut } = training.subset;
  return heldOut.count > 0 ? galleryRows(heldOut, await training.features()) : [];
}

function tellResults(run: Run, training: Pretraining, finished: boolean, saves: string, out: Output): void {
  const results = resultsOf(run, training);
  const stopped =
    `Stopped at step ${results.step} of ${training.totalSteps}. ` +
    `Continue with: dawngrad pretrain --resume ${run.folder}`;
  out.result(`${finished ? resultTable(results, training) : stopped}${saves}`, results);
}

/** How often the loss scale made a step be skipped, in f16. */
function tellScaled(run: Run, out: Output): void {
  const last = run.history().steps.at(-1);
  if (typeof last?.skipped === 'number') out.log(scaledText(last.skipped, last.step, last.lossScale!));
}

/** How saves went, as far as they were a matter of training. */
class Saves {
  readonly #out: Output;
  #count = 0;
  #stallMs = 0;

  constructor(out: Output) {
    this.#out = out;
  }

  add({ step, ms, stallMs }: Saved): void {
    this.#count++;
    this.#stallMs = Math.max(this.#stallMs, stallMs);
    this.#out.detail(
      `Saved step ${step} in ${ms.toFixed(0)} ms, of which training stood still ${stallMs.toFixed(1)} ms.`,
    );
  }

  /** A line of its own, if there were any. */
  get text(): string {
    if (this.#count === 0) return '';
    return `\nSaved ${this.#count} times; training stood still ${this.#stallMs.toFixed(1)} ms at most for one.`;
  }
}

function progressOf({ totalSteps: total, stepsPerEpoch, config, method }: Pretraining, out: Output, chart: boolean) {
  const { batch, accumulate } = config;
  const chanceTop1 = method.chance(batch / accumulate).top1;
  return new Progress({ total, stepsPerEpoch, batch, chanceTop1, quiet: out.quiet, verbose: out.verbose, chart });
}

/** Which checkpoint is left when a training has diverged. */
async function lastGood(run: Run): Promise<string> {
  const file = run.file('checkpoint.safetensors');
  if (!existsSync(file)) return 'It had not been saved before.';
  const saved = await run.savedStep();
  const step = saved === undefined ? '' : `, of step ${saved}`;
  return (
    `The last good checkpoint is ${file}${step}: dawngrad convert ${file} runs/new goes on from it with other ` +
    `settings.`
  );
}

/** Trains, and tells everybody of everything. Returns whether the end was reached. */
async function advance(
  run: Run,
  training: Pretraining,
  { progress, board, saver, signal }: { progress: Progress; board?: Board; saver: Saver; signal: AbortSignal },
): Promise<boolean> {
  const log = (metric: Metric) => {
    if (signal.aborted && !('loss' in metric)) return; // what was measured too late is measured when the run goes on
    run.log(metric);
    board?.metric(metric);
  };
  const began = Date.now();
  await saver.begin();
  if (training.position.step === 0 && !run.history().before) {
    await baselines(log, training);
    await board?.views();
  }
  const timed = clocked(training.config.batch);
  let first = true;
  const hooks: PretrainHooks = {
    signal,
    onStep: (step, timing) => {
      const record = timed(step, timing);
      if (first) progress.say(`First step done after ${((Date.now() - began) / 1000).toFixed(1)} s, kernels compiled.`);
      first = false;
      log(record);
      progress.update(record);
    },
    onKnn: log,
    onSpread: log,
    onWarning: (text) => progress.say(`Warning: ${text}`),
    onEpoch: async (position, epoch) => {
      progress.epoch(epoch);
      await board?.similarities();
      await saver.epoch(position, epoch.score);
    },
    onHanded: (position, reported) => saver.handed(position, reported),
  };
  return training.run(hooks, signal);
}

const STEPS_TIMED = 8; // a step is known when its values are read, several at once where the device is ahead

/** Adds to each step how fast the last eight were, and how much of it went into data; the first has no pace. */
function clocked(batch: number): (record: StepRecord, timing: StepTiming) => StepRecord {
  const times: number[] = [];
  const short = (v: number) => Number(v.toPrecision(5));
  return (record, { dataMs, stepMs }) => {
    times.push(performance.now());
    const steps = times.length - 1;
    const picturesPerSecond = steps === 0 ? undefined : short((1000 * batch * steps) / (times.at(-1)! - times[0]));
    if (steps === STEPS_TIMED) times.shift();
    return { ...record, picturesPerSecond, dataMs: short(dataMs), stepMs: short(stepMs) };
  };
}

/** k-NN before training, once a run. */
async function baselines(log: (metric: Metric) => void, training: Pretraining): Promise<void> {
  const { config, subset } = training;
  const randomEncoder = await training.knn();
  if (randomEncoder === undefined) return;
  log({
    epoch: 0,
    rawPixels: await rawPixelAccuracy(subset, config),
    randomEncoder,
    chance: 1 / new Set(subset.train.labels).size,
  });
}
