import { closeSync, constants, existsSync, openSync, readSync, truncateSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { check, isPlain } from '../core/check.js';
import { FormatError } from '../core/errors.js';
import { isCut, jsonLine, readLines } from '../io/atomic.node.js';
import type { BaselineRecord, KnnRecord, SpreadRecord, StepRecord } from './records.js';

export type Metric = StepRecord | KnnRecord | SpreadRecord | BaselineRecord;

const { O_APPEND, O_CREAT, O_RDWR } = constants;
const LINE = 10;
const BLOCK = 2 ** 20; // bytes that are read at a time
/** Steps whose places are known: more than are ever between a step and its record. */
const KNOWN = 64;

/** metrics.jsonl of a run: a line a metric, in the order they were logged. */
export class MetricsFile {
  readonly path: string;
  #lines?: number;
  #writing: Promise<void> = Promise.resolve();
  #waiting = '';
  /** Lines up to a step's record, of the latest steps. */
  readonly #upTo = new Map<number, number>();

  constructor(path: string) {
    this.path = path;
  }

  /** Every metric so far, in order, as they are read. A last line cut by a crash is left out. */
  all(): Iterable<Metric> {
    return readLines<Metric>(this.path);
  }

  /** Lines so far, those on their way to the disk too. */
  get lines(): number {
    return (this.#lines ??= wholeLines(this.path).lines);
  }

  /** Lines up to the record of a step that was logged lately, else up to now. */
  linesTo(step: number): number {
    return this.#upTo.get(step) ?? this.lines;
  }

  /** Appends a metric, after those before it; `written` waits for all. */
  log(metric: Metric): void {
    check('log', 'the metric', metric, { is: 'an object', holds: isPlain });
    const line = jsonLine('log', metric);
    const lines = (this.#lines = this.lines + 1);
    if ('loss' in metric) this.#upTo.set(metric.step, lines).delete(metric.step - KNOWN);
    const idle = this.#waiting === '';
    this.#waiting += `${line}\n`;
    if (!idle) return; // goes with those that wait
    this.#writing = this.#writing.then(() => this.#append(lines === 1));
    this.#writing.catch(() => undefined); // `written` reports it
  }

  /** Waits until everything logged is on the disk, and stays there if the power fails. */
  async written(): Promise<void> {
    await this.#writing;
    if (this.lines === 0) return;
    const handle = await this.#open(O_RDWR);
    await handle.sync();
    await handle.close();
  }

  /** Drops the lines after the first `lines`, whole or not. */
  cut(lines: number): void {
    if (existsSync(this.path)) truncateSync(this.path, wholeLines(this.path, lines).end);
    this.#lines = lines;
    this.#upTo.clear();
  }

  async #open(flags: number): Promise<FileHandle> {
    try {
      return await open(this.path, flags);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw new FormatError(
        `${this.path}: the metrics of a run must stay in their place while it trains; got none there: they were ` +
          'removed or renamed. Put them back and go on with --resume, or start the run anew.',
      );
    }
  }

  async #append(first: boolean): Promise<void> {
    const handle = await this.#open(O_RDWR | O_APPEND | (first ? O_CREAT : 0));
    try {
      const cut = (await isCut(handle)) ? '\n' : '';
      const text = this.#waiting;
      this.#waiting = '';
      await handle.appendFile(cut + text);
    } finally {
      await handle.close();
    }
  }
}

/** Whole lines of a file, at most so many, and the place after the last of them; none if there is no such file. */
function wholeLines(path: string, most = Infinity): { lines: number; end: number } {
  const found = { lines: 0, end: 0 };
  if (!existsSync(path)) return found;
  const file = openSync(path, 'r');
  try {
    const block = Buffer.alloc(BLOCK);
    for (let read = readSync(file, block), from = 0; read > 0; from += read, read = readSync(file, block))
      for (let at = block.indexOf(LINE); at >= 0 && at < read; at = block.indexOf(LINE, at + 1)) {
        if (found.lines === most) return found;
        found.lines++;
        found.end = from + at + 1;
      }
  } finally {
    closeSync(file);
  }
  return found;
}
