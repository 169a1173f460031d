import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FormatError } from '../core/errors.js';
import { readBytes } from '../data/bytes.node.js';
import { appendLine, readLines, writeAtomic } from '../io/atomic.node.js';
import type { ReportStep } from '../io/report-data.js';
import { StepLog } from '../io/step-log.js';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.js';
import { demoConfig, type PretrainConfig } from './config.js';
import type { KnnRecord, Position, Pretraining, SpreadRecord, StepRecord } from './pretrain.js';

/** config.json of a run: everything needed to do it again. */
export interface RunInfo {
  version: string;
  adapter: string;
  command: string;
  /** What was trained on: a path, or `drawn`. */
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

const CHECKPOINT = 'checkpoint.safetensors';

/** A run's folder: config.json, metrics.jsonl, checkpoint.safetensors with checkpoint.json, report.html. */
export class Run {
  readonly folder: string;
  readonly info: RunInfo;

  constructor(folder: string, info: RunInfo) {
    this.folder = folder;
    this.info = info;
  }

  /** The path of a file in the folder. */
  file(name: string): string {
    return join(this.folder, name);
  }

  /** Appends a metric, after those before it; `written` waits for all. */
  log(metric: Metric): void {
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

  /** The metrics by kind: steps (see `StepLog`), k-NN accuracies, spreads of features, and what was measured before training. */
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

  /** Saves the whole state; the position travels in the same file, so that the two cannot disagree. */
  async save(training: Pretraining, { step }: Position): Promise<void> {
    await this.written();
    const { method, model, stem, head, dim } = training.config;
    const about = { format: 'dawngrad-moco', version: this.info.version, step: String(step), pictures: String(training.train.count), method, model, stem, head, dim: String(dim) };
    await writeAtomic(this.file(CHECKPOINT), await saveCheckpoint(training.method, about));
    await writeAtomic(this.file('checkpoint.json'), `${JSON.stringify({ ...about, step, tensors: CHECKPOINT }, null, 2)}\n`);
  }

  /** Loads the state and goes back to where it was saved; metrics of later steps, lost by a crash, are dropped. */
  async resume(training: Pretraining): Promise<void> {
    const metadata = loadCheckpoint(training.method, await readCheckpoint(this.file(CHECKPOINT)), this.file(CHECKPOINT));
    const step = Number(metadata.step);
    if (!(Number.isInteger(step) && step >= 0))
      throw new FormatError(`${this.file(CHECKPOINT)}: its metadata must say the step it was saved at; got ${metadata.step}. It was not written by a run.`);
    const { pictures = String(training.train.count) } = metadata; // older checkpoints do not say
    if (Number(pictures) !== training.train.count)
      throw new FormatError(
        `${this.file(CHECKPOINT)}: a run goes on with the pictures it began with; got ${training.train.count} where it had ${pictures} to train on. ` +
          'Restore those that are missing or damaged, take away what is new, or start a new run.',
      );
    training.position = { step };
    await writeAtomic(this.file('metrics.jsonl'), this.#linesUntil(step, training.stepsPerEpoch));
  }

  *#linesUntil(step: number, stepsPerEpoch: number): Generator<string> {
    for (const m of this.metrics()) if (('step' in m ? m.step : m.epoch * stepsPerEpoch) <= step) yield `${JSON.stringify(m)}\n`;
  }
}

function readCheckpoint(file: string): Promise<Uint8Array> {
  if (!existsSync(file)) throw new FormatError(`${file}: a run is resumed from its checkpoint; got none there. It stopped before its first save: start it anew.`);
  return readBytes(file);
}

/** Makes the folder of a new run. @throws FormatError when it already holds one. */
export async function startRun(folder: string, info: RunInfo): Promise<Run> {
  if (existsSync(join(folder, 'config.json')))
    throw new FormatError(`${folder}: a new run needs a folder of its own; got one that holds a run. Continue it with --resume ${folder}, or choose another --out.`);
  mkdirSync(folder, { recursive: true });
  await writeAtomic(join(folder, 'config.json'), `${JSON.stringify({ ...info, seed: info.config.seed }, null, 2)}\n`);
  return new Run(folder, info);
}

/** Opens the folder of a run. @throws FormatError when it holds none. */
export function openRun(folder: string): Run {
  const file = join(folder, 'config.json');
  if (!existsSync(file)) throw new FormatError(`${folder}: a run's folder holds config.json; got none. Name the folder that a run was written to.`);
  try {
    const info = JSON.parse(readFileSync(file, 'utf8')) as RunInfo;
    if (typeof info.config?.model === 'string' && typeof info.data === 'string')
      return new Run(folder, { ...info, config: { ...demoConfig, ...info.config } }); // runs of old name fewer fields
  } catch {
    // said below
  }
  throw new FormatError(`${file}: it must be the configuration of a run; got something else. Restore it, or start anew.`);
}
