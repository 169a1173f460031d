import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, isPlain, isRecord, text, whole } from '../core/check.js';
import { FormatError } from '../core/errors.js';
import { appendLine, readLines, writeAtomic } from '../io/atomic.node.js';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.js';
import { demoConfig, type PretrainConfig } from './config.js';
import { type KnnRecord, type Position, Pretraining, type SpreadRecord, type StepRecord } from './pretrain.js';

/** config.json of a run: everything needed to do it again. */
export interface RunInfo {
  version: string;
  adapter: string;
  command: string;
  /** What was trained on: a path, or `drawn`. */
  data: string;
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
    check('Run', 'the folder', folder, text);
    checkInfo('Run', info);
    this.folder = folder;
    this.info = info;
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

  /** Every metric so far, in order. A last line cut by a crash is left out. */
  metrics(): Metric[] {
    return readLines<Metric>(this.file('metrics.jsonl'));
  }

  /** The metrics by kind: steps, k-NN accuracies, spreads of features, and what was measured before training. */
  history(): { steps: StepRecord[]; knn: KnnRecord[]; spread: SpreadRecord[]; before?: BaselineRecord } {
    const metrics = this.metrics();
    return {
      steps: metrics.flatMap((m) => ('loss' in m ? [m] : [])),
      knn: metrics.flatMap((m) => ('knn' in m ? [m] : [])),
      spread: metrics.flatMap((m) => ('featureSpread' in m ? [m] : [])),
      before: metrics.find((m): m is BaselineRecord => 'randomEncoder' in m),
    };
  }

  /** Saves the whole state; the position travels in the same file, so that the two cannot disagree. */
  async save(training: Pretraining, position: Position): Promise<void> {
    checkTraining('save', training);
    check('save', 'the step', position?.step, whole(0));
    const { step } = position;
    await this.written();
    const { method, model, stem, head, dim } = training.config;
    const about = { format: 'dawngrad-moco', version: this.info.version, step: String(step), pictures: String(training.train.count), method, model, stem, head, dim: String(dim) };
    await writeAtomic(this.file(CHECKPOINT), await saveCheckpoint(training.method, about));
    await writeAtomic(this.file('checkpoint.json'), `${JSON.stringify({ ...about, step, tensors: CHECKPOINT }, null, 2)}\n`);
  }

  /** Loads the state and goes back to where it was saved; metrics of later steps, lost by a crash, are dropped. */
  async resume(training: Pretraining): Promise<void> {
    checkTraining('resume', training);
    const metadata = loadCheckpoint(training.method, readCheckpoint(this.file(CHECKPOINT)), this.file(CHECKPOINT));
    const step = Number(metadata.step);
    if (!(Number.isInteger(step) && step >= 0))
      throw new FormatError(`${this.file(CHECKPOINT)}: its metadata must say the step it was saved at; got ${metadata.step}. It was not written by a run.`);
    const { pictures = String(training.train.count) } = metadata; // older checkpoints do not say
    if (Number(pictures) !== training.train.count)
      throw new FormatError(
        `${this.file(CHECKPOINT)}: a run must go on with the pictures it began with; got ${training.train.count} where it had ${pictures} to train on. ` +
          'Restore those that are missing or damaged, take away what is new, or start a new run.',
      );
    training.position = { step };
    const kept = this.metrics().filter((m) => ('step' in m ? m.step <= step : m.epoch * training.stepsPerEpoch <= step));
    await writeAtomic(this.file('metrics.jsonl'), kept.map((m) => `${JSON.stringify(m)}\n`).join(''));
  }
}

const checkInfo = (where: string, info: unknown): void =>
  check(where, 'the run', info, { is: 'an object with its data and config', holds: (v) => isRecord(v) && typeof v.data === 'string' && isRecord(v.config) });

const checkTraining = (where: string, training: unknown): void =>
  check(where, 'the training', training, { is: 'a Pretraining', holds: (v) => v instanceof Pretraining });

function readCheckpoint(file: string): Uint8Array {
  if (!existsSync(file)) throw new FormatError(`${file}: a run must be resumed from its checkpoint; got none there. It stopped before its first save: start it anew.`);
  return readFileSync(file);
}

/** Makes the folder of a new run. @throws FormatError when it already holds one. */
export async function startRun(folder: string, info: RunInfo): Promise<Run> {
  check('startRun', 'the folder', folder, text);
  checkInfo('startRun', info);
  if (existsSync(join(folder, 'config.json')))
    throw new FormatError(`${folder}: a new run must have a folder of its own; got one that holds a run. Continue it with --resume ${folder}, or choose another --out.`);
  mkdirSync(folder, { recursive: true });
  await writeAtomic(join(folder, 'config.json'), `${JSON.stringify({ ...info, seed: info.config.seed }, null, 2)}\n`);
  return new Run(folder, info);
}

/** Opens the folder of a run. @throws FormatError when it holds none. */
export function openRun(folder: string): Run {
  check('openRun', 'the folder', folder, text);
  const file = join(folder, 'config.json');
  if (!existsSync(file)) throw new FormatError(`${folder}: a run's folder must hold config.json; got none. Name the folder that a run was written to.`);
  try {
    const info = JSON.parse(readFileSync(file, 'utf8')) as RunInfo;
    if (typeof info.config?.model === 'string' && typeof info.data === 'string')
      return new Run(folder, { ...info, config: { ...demoConfig, ...info.config } }); // runs of old name fewer fields
  } catch {
    // said below
  }
  throw new FormatError(`${file}: it must be the configuration of a run; got something else. Restore it, or start anew.`);
}
