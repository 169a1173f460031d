import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { checkCheckpoint, loadCheckpoint, saveCheckpoint } from '../checkpoints/checkpoint.js';
import { check, isPlain, isRecord, text, whole } from '../core/check.js';
import { DawngradError, FormatError } from '../core/errors.js';
import { readBytes } from '../data/file-bytes.node.js';
import { appendLine, readLines, writeAtomic } from '../io/atomic.node.js';
import { type ReportStep, StepLog } from '../io/step-log.js';
import { demoConfig, type PretrainConfig } from '../moco/config.js';
import { better } from './epoch.js';
import { Pretraining } from './pretrain.js';
import type { KnnRecord, Position, Score, SpreadRecord, StepRecord } from './records.js';

/** config.json of a run: everything needed to do it again. */
export interface RunInfo {
  version: string;
  adapter: string;
  command: string;
  /** What was trained on: a path, or `synthetic`. */
  data: string;
  /** Where the pictures are that it is measured on, if they are no part of `data`. */
  test?: string;
  /** How the pictures were chosen from it. */
  choice: { classes?: string[]; limitPerClass?: number; count?: number };
  config: PretrainConfig;
}

/** k-NN accuracy before training: of raw pixels, of the encoder as it was initialised, and of guessing. */
export interface BaselineRecord {
  epoch: 0;
  /** Left out of large streamed sets. */
  rawPixels?: number;
  randomEncoder: number;
  chance: number;
}

export type Metric = StepRecord | KnnRecord | SpreadRecord | BaselineRecord;

/** Checkpoints of a run: where it stands, and the best encoder so far. */
const files = { last: 'checkpoint', best: 'best' } as const;

/**
 * A run's folder: config.json, metrics.jsonl, checkpoint.safetensors with checkpoint.json, best.safetensors with
 * best.json, report.html.
 */
export class Run {
  readonly folder: string;
  readonly info: RunInfo;
  /** Which of its checkpoints is read. */
  readonly which: keyof typeof files;

  constructor(folder: string, info: RunInfo, which: keyof typeof files = 'last') {
    check('Run', 'the folder', folder, text);
    checkInfo('Run', info);
    this.folder = folder;
    this.info = info;
    this.which = which;
  }

  /** The checkpoint that is read. @throws FormatError if there is none. */
  get checkpoint(): string {
    const file = this.file(`${files[this.which]}.safetensors`);
    if (existsSync(file)) return file;
    throw new FormatError(
      this.which === 'best'
        ? `${file}: the best checkpoint is one that was scored, by k-NN or by the loss once the queue is full; ` +
            `got none yet. Name the run alone for its last one.`
        : `${file}: a run is read from its checkpoint; got none there. It stopped before its first save: ` +
            `start it anew.`,
    );
  }

  /** The path of a file in the folder. */
  file(name: string): string {
    check('file', 'the name', name, text);
    return join(this.folder, name);
  }

  /** Appends a metric, after those before it; `written` waits for all. */
  log(metric: Metric): void {
    check('log', 'the metric', metric, { is: 'an object', holds: isPlain });
    this.#writing = this.#writing.then(() => appendLine(this.file('metrics.jsonl'), metric));
    this.#writing.catch(() => undefined); // `written` reports it
  }

  /** Waits until everything logged is on disk. */
  written(): Promise<void> {
    return this.#writing;
  }

  #writing: Promise<void> = Promise.resolve();

  /** Every metric so far, in order, as they are read. A last line cut by a crash is left out. */
  metrics(): Iterable<Metric> {
    return readLines<Metric>(this.file('metrics.jsonl'));
  }

  /**
   * The metrics by kind: steps (see `StepLog`), k-NN accuracies, spreads of features, and what was measured before
   * training.
   */
  history(): { steps: ReportStep[]; knn: KnnRecord[]; spread: SpreadRecord[]; before?: BaselineRecord } {
    const [log, knn, spread]: [StepLog, KnnRecord[], SpreadRecord[]] = [new StepLog(), [], []];
    let before: BaselineRecord | undefined;
    for (const m of this.metrics())
      if ('loss' in m) log.add(m);
      else if ('knn' in m) knn.push(m);
      else if ('featureSpread' in m) spread.push(m);
      else before ??= m;
    return { steps: log.steps, knn, spread, before };
  }

  /**
   * Saves the whole state, and as the best one too if its score is; the position travels in the same file, so that the
   * two cannot disagree. A run killed in between goes on from the last save, and writes the same best file again.
   * @throws DivergedError if the state is not finite; the files stay as they were.
   */
  async save(training: Pretraining, position: Position, score?: Score): Promise<void> {
    checkTraining('save', training);
    check('save', 'the step', position?.step, whole(0));
    const { step } = position;
    await this.written();
    const { method, model, stem, head, dim } = training.config;
    const about = {
      format: 'dawngrad-moco',
      version: this.info.version,
      step: String(step),
      pictures: String(training.train.count),
      method,
      model,
      stem,
      head,
      dim: String(dim),
    };
    const tensors = await saveCheckpoint(training.method, about);
    const write = async (name: string, more: object = {}) => {
      await writeAtomic(this.file(`${name}.safetensors`), tensors);
      await writeAtomic(
        this.file(`${name}.json`),
        `${JSON.stringify({ ...about, step, ...more, tensors: `${name}.safetensors` }, null, 2)}\n`,
      );
    };
    if (score && better(score, this.#said<Score>(files.best))) await write(files.best, score);
    await write(files.last);
  }

  /** The step of the last checkpoint, if there is one. */
  get savedStep(): number | undefined {
    return this.#said<{ step: number }>(files.last)?.step;
  }

  /** What is told beside a checkpoint. */
  #said<T>(name: string): T | undefined {
    try {
      return JSON.parse(readFileSync(this.file(`${name}.json`), 'utf8')) as T;
    } catch {
      return undefined; // there is none
    }
  }

  /**
   * Sees that there is a checkpoint that belongs to the run's configuration, before pictures are opened. @throws
   * FormatError if not.
   */
  async check(): Promise<void> {
    checkCheckpoint(this.info.config, await readBytes(this.checkpoint), this.checkpoint);
  }

  /** Loads the state and goes back to where it was saved; metrics of later steps, lost by a crash, are dropped. */
  async resume(training: Pretraining): Promise<void> {
    checkTraining('resume', training);
    const file = this.checkpoint;
    const metadata = loadCheckpoint(training.method, await readBytes(file), file);
    const step = Number(metadata.step);
    if (!(Number.isInteger(step) && step >= 0))
      throw new FormatError(
        `${file}: its metadata must say the step it was saved at; got ${metadata.step}. It was not written by a run.`,
      );
    const { pictures = String(training.train.count) } = metadata; // older checkpoints do not say
    if (Number(pictures) !== training.train.count)
      throw new FormatError(
        `${file}: a run must go on with the pictures it began with; ` +
          `got ${training.train.count} where it had ${pictures} to train on. ` +
          'Restore those that are missing or damaged, take away what is new, or start a new run.',
      );
    training.goOn({ step }, this.#stepsBetween(step - (step % training.stepsPerEpoch), step));
    if (this.which === 'best') await this.save(training, { step }); // it is the last one from now on
    await writeAtomic(this.file('metrics.jsonl'), this.#linesUntil(step, training.stepsPerEpoch));
  }

  #stepsBetween(after: number, last: number): StepRecord[] {
    const steps: StepRecord[] = [];
    for (const m of this.metrics()) if ('loss' in m && m.step > after && m.step <= last) steps.push(m);
    return steps;
  }

  *#linesUntil(step: number, stepsPerEpoch: number): Generator<string> {
    for (const m of this.metrics())
      if (('step' in m ? m.step : m.epoch * stepsPerEpoch) <= step) yield `${JSON.stringify(m)}\n`;
  }
}

const checkInfo = (where: string, info: unknown): void =>
  check(where, 'the run', info, {
    is: 'an object with its data and config',
    holds: (v) => isRecord(v) && typeof v.data === 'string' && isRecord(v.config),
  });

const checkTraining = (where: string, training: unknown): void =>
  check(where, 'the training', training, { is: 'a Pretraining', holds: (v) => v instanceof Pretraining });

/** @throws FormatError when a folder holds a run, so that no other can start there. */
export function checkFree(folder: string): void {
  if (existsSync(join(folder, 'config.json')))
    throw new FormatError(
      `${folder}: a new run must have a folder of its own; got one that holds a run. ` +
        `Continue it with --resume ${folder}, or choose another --out.`,
    );
}

/** Makes the folder of a new run. @throws FormatError when it already holds one. */
export async function startRun(folder: string, info: RunInfo): Promise<Run> {
  check('startRun', 'the folder', folder, text);
  checkInfo('startRun', info);
  checkFree(folder);
  mkdirSync(folder, { recursive: true });
  await writeAtomic(join(folder, 'config.json'), `${JSON.stringify({ ...info, seed: info.config.seed }, null, 2)}\n`);
  return new Run(folder, info);
}

/**
 * Opens the run that a path names: its folder, or one of its checkpoints (RUN/best, RUN/best.safetensors; RUN/last or
 * RUN/checkpoint.safetensors for the last one, which the folder alone stands for too).
 * @throws FormatError when it holds none.
 */
export function openRun(path: string): Run {
  check('openRun', 'the path', path, text);
  const within = checkpointIn(path);
  return within ? openFolder(dirname(path), within) : openFolder(path);
}

/** The same, or undefined if the path names something else. @throws FormatError for a damaged run. */
export function findRun(path: string): Run | undefined {
  return checkpointIn(path) || existsSync(join(path, 'config.json')) ? openRun(path) : undefined;
}

/** Which checkpoint of a run a path names, if it is one within a run's folder. */
function checkpointIn(path: string): keyof typeof files | undefined {
  const name = basename(path);
  const which = (['last', 'best'] as const).find((w) => name === w || name === `${files[w]}.safetensors`);
  if (which === undefined || existsSync(join(path, 'config.json'))) return undefined;
  try {
    openFolder(dirname(path));
    return which;
  } catch (error) {
    if (error instanceof DawngradError) return undefined; // a checkpoint of that name elsewhere
    throw error;
  }
}

function openFolder(folder: string, which?: keyof typeof files): Run {
  const file = join(folder, 'config.json');
  if (!existsSync(file))
    throw new FormatError(
      `${folder}: a run's folder must hold config.json; got none. Name the folder that a run was written to.`,
    );
  try {
    const info = JSON.parse(readFileSync(file, 'utf8')) as RunInfo;
    if (typeof info.config?.model === 'string' && typeof info.data === 'string')
      // runs of old name fewer fields
      return new Run(folder, { ...info, config: { ...demoConfig, ...info.config } }, which);
  } catch {
    // said below
  }
  throw new FormatError(
    `${file}: it must be the configuration of a run; got something else. Restore it, or start anew.`,
  );
}
