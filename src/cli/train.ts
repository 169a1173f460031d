import type { Pictures } from '../data/pictures.js';
import { percent } from '../io/numbers.js';
import { scaledText } from '../moco/monitors.js';
import type { Pretraining, StepRecord, StepTiming } from '../moco/pretrain.js';
import { rawPixelAccuracy } from '../moco/raw_pixels.js';
import { galleryRows } from '../moco/report.js';
import type { Metric, Run } from '../moco/run.node.js';
import { Board } from './board.js';
import type { Output } from './common.js';
import { Progress } from './progress.js';
import { writeReport } from './report.js';
import { resultsOf, resultTable } from './table.js';

const INTERRUPTED = 130;

/** How a run is watched. */
export interface Watch {
  out: Output;
  chart: boolean;
  tensorboard: boolean;
}

/** Trains to the end or until interrupted, saving and logging on the way, and writes the report. Returns the exit code. */
export async function train(run: Run, training: Pretraining, skipped: Pictures['skipped'], { out, chart, tensorboard }: Watch): Promise<number> {
  const { totalSteps, stepsPerEpoch } = training;
  const progress = new Progress({ total: totalSteps, stepsPerEpoch, batch: training.config.batch, quiet: out.quiet, verbose: out.verbose, chart });
  const board = tensorboard ? new Board(run, training) : undefined;
  const log = (metric: Metric) => {
    run.log(metric);
    board?.metric(metric);
  };
  const began = Date.now();
  let last: StepRecord | undefined;
  const finished = await interruptible(progress, async (signal) => {
    if (training.position.step === 0 && !run.history().before) {
      await baselines(log, training);
      await board?.views();
    }
    const timed = clocked(training.config.batch);
    let first = true;
    return training.run({
      signal,
      onStep: (step, timing) => {
        const record = timed(step, timing);
        if (first) progress.say(`First step done after ${((Date.now() - began) / 1000).toFixed(1)} s, kernels compiled.`);
        first = false;
        log(record);
        progress.update(record);
        last = record;
      },
      onKnn: (record) => {
        log(record);
        const outputs = record.knnOutputs === undefined ? '' : `, by the head's outputs ${percent(record.knnOutputs)}`;
        progress.say(`epoch ${record.epoch}: k-NN ${percent(record.knn)}${outputs}`);
      },
      onSpread: log,
      onWarning: (text) => progress.say(`Warning: ${text}`),
      onEpoch: async (position) => {
        await board?.similarities();
        await run.save(training, position);
      },
    });
  });
  progress.end();
  if (last?.skipped !== undefined) out.tell(scaledText(last.skipped, last.step, last.lossScale!));
  if (training.position.step % stepsPerEpoch !== 0 || training.position.step === 0) await run.save(training, training.position);
  await run.written();
  const rows = training.heldOut.count > 0 ? await galleryRows(training.watched.heldOut, await training.features()) : [];
  await board?.gallery(rows);
  await board?.written();
  await writeReport(run, training, skipped, rows, (Date.now() - began) / 1000);
  const results = resultsOf(run, training);
  const stopped = `Stopped at step ${results.step} of ${totalSteps}. Continue with: dawngrad pretrain --resume ${run.folder}`;
  out.result(finished ? resultTable(results, training) : stopped, results);
  return finished ? 0 : INTERRUPTED;
}

/** Runs `work` with a signal that is given when the process is interrupted for the first time. */
async function interruptible<T>(progress: Progress, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) return;
    progress.say('Stopping after this step, to save.');
    stop.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    return await work(stop.signal);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

const STEPS_TIMED = 8; // a step is told of when its values are read, several at once where the device is ahead

/** Adds to each step how fast the last eight were, and how much of it went into data; the first has no pace. */
function clocked(batch: number): (record: StepRecord, timing: StepTiming) => StepRecord {
  const told: number[] = [];
  const short = (v: number) => Number(v.toPrecision(5));
  return (record, { dataMs, stepMs }) => {
    told.push(performance.now());
    const steps = told.length - 1;
    const picturesPerSecond = steps === 0 ? undefined : short((1000 * batch * steps) / (told.at(-1)! - told[0]));
    if (steps === STEPS_TIMED) told.shift();
    return { ...record, picturesPerSecond, dataMs: short(dataMs), stepMs: short(stepMs) };
  };
}

/** k-NN before training, once a run. */
async function baselines(log: (metric: Metric) => void, training: Pretraining): Promise<void> {
  const { config, watched } = training;
  const randomEncoder = await training.knn();
  if (randomEncoder === undefined) return;
  log({ epoch: 0, rawPixels: await rawPixelAccuracy(watched, config), randomEncoder, chance: 1 / new Set(watched.train.labels).size });
}
