import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkCheckpoint, checkpointParts, loadCheckpoint, readState } from '../checkpoints/checkpoint.js';
import { type RunInfo, readCheckpointFile } from '../checkpoints/run-files.js';
import { check, isRecord, text, whole } from '../core/check.js';
import { FormatError } from '../core/errors.js';
import { readBytes } from '../data/file-bytes.node.js';
import { replaceByLink, replaceFile } from '../io/atomic.node.js';
import { Lock } from '../io/lock.node.js';
import { readMetadata } from '../io/safetensors.node.js';
import { type ReportStep, StepLog } from '../io/step-log.js';
import { aboutCheckpoint, checkSameConfig, checkSamePictures, scoreIn } from './checkpoint-about.node.js';
import { better } from './epoch.js';
import { type Metric, MetricsFile } from './metrics.node.js';
import { Pretraining } from './pretrain.js';
import type { BaselineRecord, KnnRecord, Position, Score, SpreadRecord, StepRecord } from './records.js';

export type { RunInfo };

/** Checkpoints of a run: where it stands, where it stood one save before, and the best encoder so far. */
export const checkpoints = { last: 'checkpoint', previous: 'previous', best: 'best' } as const;
export type Which = keyof typeof checkpoints;

/** The file that says which process has a run's folder. */
const LOCK = 'run.lock';

/** How a save went. */
export interface Saved {
  step: number;
  /** Milliseconds from its begin to its end, and of those in which training could not go on. */
  ms: number;
  stallMs: number;
}

/**
 * A run's folder: config.json, metrics.jsonl, checkpoint.safetensors and the one before it, previous.safetensors,
 * best.safetensors, report.html; and while a process trains, run.lock, which keeps others out.
 */
export class Run {
  readonly folder: string;
  readonly info: RunInfo;
  /** Which of its checkpoints is read. */
  readonly which: Which;
  readonly #metrics: MetricsFile;
  #lock?: Lock;
  /** Saves come one after the other. */
  #saving: Promise<unknown> = Promise.resolve();

  constructor(folder: string, info: RunInfo, which: Which = 'last') {
    check('Run', 'the folder', folder, text);
    checkInfo('Run', info);
    this.folder = folder;
    this.info = info;
    this.which = which;
    this.#metrics = new MetricsFile(join(folder, 'metrics.jsonl'));
  }

  /** The checkpoint that is read. @throws FormatError if there is none. */
  get checkpoint(): string {
    const file = this.#file(this.which);
    if (existsSync(file)) return file;
    throw new FormatError(
      this.which === 'best'
        ? `${file}: the best checkpoint is one that was scored, by k-NN or by the loss once the queue is full; ` +
            `got none yet. Name the run alone for its last one.`
        : `${file}: a run is read from its checkpoint; got none there. It stopped before its first save: ` +
            `go on with it by --resume ${this.folder}.`,
    );
  }

  /** The path of a file in the folder. */
  file(name: string): string {
    check('file', 'the name', name, text);
    return join(this.folder, name);
  }

  #file(which: Which): string {
    return this.file(`${checkpoints[which]}.safetensors`);
  }

  /** Takes the folder, for this process alone. @throws FormatError that names another which has it. */
  open(): void {
    this.#lock ??= Lock.take(this.folder, LOCK);
  }

  /** Gives the folder back, which the end of the process does too. */
  close(): void {
    this.#lock?.release();
    this.#lock = undefined;
  }

  /** @throws FormatError if the folder was removed, or made anew by another process. */
  #checkHeld(): void {
    if (existsSync(this.folder)) this.open();
    if (!this.#lock?.holds())
      throw new FormatError(
        `${this.folder}: the folder of a run must stay in its place while it trains; ` +
          'got none of its own there: it was removed or renamed. Nothing more is written: start the run anew.',
      );
  }

  /** Appends a metric, after those before it; `written` waits for all. */
  log(metric: Metric): void {
    this.#metrics.log(metric);
  }

  /** Waits until everything logged is on disk. */
  async written(): Promise<void> {
    await this.#metrics.written().catch((error: unknown) => {
      this.#checkHeld(); // the better reason, if it is one
      throw error;
    });
  }

  /** Every metric so far, in order, as they are read. A last line cut by a crash is left out. */
  metrics(): Iterable<Metric> {
    return this.#metrics.all();
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
   * Saves the whole state as it is at this call, and as the best one too if its score is; training may go on meanwhile.
   * All of it is one file, which counts the metrics that belong to it and is renamed into place once they are on the
   * disk; the checkpoint before it stays as `previous`. A run killed at any moment goes on from a whole save.
   * @param reported what to wait for before the metrics up to this position are all logged.
   * @throws DivergedError if the state is not finite; the files stay as they were.
   */
  save(training: Pretraining, position: Position, score?: Score, reported?: Promise<void>): Promise<Saved> {
    const began = performance.now();
    let stallMs = 0;
    const timed = <T>(work: () => T): T => {
      const from = performance.now();
      try {
        return work();
      } finally {
        stallMs += performance.now() - from;
      }
    };
    const write = async () => {
      checkTraining('save', training);
      check('save', 'the step', position?.step, whole(0));
      timed(() => this.#checkHeld());
      const logged = this.#metrics.lines;
      const reading = timed(() => readState(training.method, async (work) => (await breath(), timed(work))));
      reading.catch(() => undefined); // thrown below
      const before = this.#saving;
      await reported;
      const metrics = reported ? this.#metrics.linesTo(position.step) : logged;
      const state = await reading;
      await before;
      const { version } = this.info;
      const parts = timed(() =>
        checkpointParts(state, aboutCheckpoint(training, position, { version, metrics, score })),
      );
      await this.written();
      await this.#replace(parts, score);
      return { step: position.step, ms: performance.now() - began, stallMs };
    };
    const saved = write();
    this.#saving = saved.catch(() => undefined);
    return saved;
  }

  /** The names change once the file is whole: the best first, then the one before, then the last. */
  async #replace(parts: Uint8Array[], score?: Score): Promise<void> {
    const [last, best] = [this.#file('last'), this.#file('best')];
    const scored = scoreIn((await readMetadata(best).catch(() => undefined)) ?? {}); // a damaged one is replaced
    this.#checkHeld();
    await replaceFile(last, parts, async (temporary) => {
      this.#checkHeld();
      if (score && better(score, scored)) await replaceByLink(temporary, best);
      if (existsSync(last)) await replaceByLink(last, this.#file('previous'));
    });
  }

  /** The step of the last checkpoint, if there is one. */
  async savedStep(): Promise<number | undefined> {
    const metadata = await readMetadata(this.#file('last'));
    return metadata && Number(metadata.step);
  }

  /**
   * Sees that there is a checkpoint that belongs to the run's configuration, before pictures are opened; a run that was
   * killed before its first save needs none. @throws FormatError if not.
   */
  async check(): Promise<void> {
    if (this.#isNew()) return;
    const { checkpoint: file, info } = this;
    checkSameConfig(file, (await readMetadata(file)) ?? {}, info.config);
    checkCheckpoint(info.config, await readBytes(file), file);
  }

  /** Whether nothing was saved yet, and so nothing was logged. */
  #isNew(): boolean {
    const any = Object.keys(checkpoints).some((which) => existsSync(this.#file(which as Which)));
    return this.which === 'last' && !any && this.#metrics.lines === 0;
  }

  /**
   * Takes the folder, loads the state and goes back to where it was saved; metrics of later steps, lost by a crash, are
   * dropped.
   * @throws FormatError if the checkpoint is damaged, of other pictures or another configuration, or counts metrics
   * that are gone.
   */
  async resume(training: Pretraining): Promise<void> {
    checkTraining('resume', training);
    this.open();
    await this.#saving; // another training of this run may have ended while it saved
    await this.written();
    if (this.#isNew()) return; // it was killed before its first save
    const file = this.checkpoint;
    const metadata = loadCheckpoint(training.method, await readBytes(file), file);
    checkSameConfig(file, metadata, training.config);
    checkSamePictures(file, metadata, training);
    const { step, metrics: lines } = readCheckpointFile(metadata, file);
    const { lines: found, path } = this.#metrics;
    if (found < lines)
      throw new FormatError(
        `${path}: it must hold the ${lines} lines that ${file} counts; got ${found}. Restore it, or start a new run.`,
      );
    this.#metrics.cut(lines);
    const unmeasured = metadata.unmeasured !== undefined;
    const ofEpoch = unmeasured ? training.stepsPerEpoch : step % training.stepsPerEpoch;
    training.goOn({ step }, this.#stepsBetween(step - ofEpoch, step), unmeasured);
    if (this.which !== 'last') await this.save(training, { step }, scoreIn(metadata)); // it is the last from now on
  }

  #stepsBetween(after: number, last: number): StepRecord[] {
    const steps: StepRecord[] = [];
    for (const m of this.metrics()) if ('loss' in m && m.step > after && m.step <= last) steps.push(m);
    return steps;
  }
}

/** Lets what waits run: a step of training. */
const breath = () => new Promise((resolve) => setImmediate(resolve));

export const checkInfo = (where: string, info: unknown): void =>
  check(where, 'the run', info, {
    is: 'an object with its data and config',
    holds: (v) => isRecord(v) && typeof v.data === 'string' && isRecord(v.config),
  });

const checkTraining = (where: string, training: unknown): void =>
  check(where, 'the training', training, { is: 'a Pretraining', holds: (v) => v instanceof Pretraining });
