import { closeSync, existsSync, ftruncateSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { check, isPlain, isRecord, whole } from '../core/check.js';
import { restartEvent, type Summary, summaryEvent, versionEvent } from './tensorboard.js';
import { tfRecord, wholeRecords } from './tfrecord.js';

const now = (): number => Date.now() / 1000;

const isSummary = (v: unknown): boolean =>
  isRecord(v) &&
  (typeof v.scalar === 'number' ||
    (v.png instanceof Uint8Array && whole(1).holds(v.width) && whole(1).holds(v.height)) ||
    Array.isArray(v.histogram) ||
    ArrayBuffer.isView(v.histogram));

/** A folder's event file, which `tensorboard --logdir FOLDER` shows while it grows. */
export class EventFile {
  readonly path: string;
  #writing: Promise<void> = Promise.resolve();

  /**
   * @param done steps of the run so far. An event file that is there already goes on with the next; a record that was
   * cut off is dropped.
   */
  constructor(folder: string, done: number) {
    check(
      'EventFile',
      'the folder',
      folder,
      { is: 'a folder that exists', holds: (v) => typeof v === 'string' && existsSync(v) && statSync(v).isDirectory() },
      'Make it first.',
    );
    check('EventFile', 'the steps done', done, whole(0));
    const there = readdirSync(folder)
      .filter((name) => name.startsWith('events.out.tfevents.'))
      .sort()
      .at(-1);
    this.path = join(folder, there ?? `events.out.tfevents.${Math.floor(now())}.${hostname()}`);
    if (there) dropCutRecord(this.path);
    this.#append(there ? restartEvent(now(), done + 1) : versionEvent(now()));
  }

  /** Appends values by their tags, after those before them; `written` waits for all. */
  log(step: number, values: Record<string, Summary>): void {
    check('log', 'the step', step, whole(0));
    check('log', 'the values', values, {
      is: 'an object of scalars, pictures and histograms by tag',
      holds: (v) => isPlain(v) && Object.values(v).every(isSummary),
    });
    this.#append(summaryEvent(now(), step, values));
  }

  /** Resolves when everything logged so far is in the file. */
  written(): Promise<void> {
    return this.#writing;
  }

  #append(event: Uint8Array): void {
    this.#writing = this.#writing.then(() => appendFile(this.path, tfRecord(event)));
    this.#writing.catch(() => undefined); // `written` reports it
  }
}

/** Bytes that are looked at at a time: more than any record has. */
const BLOCK = 2 ** 26;

function dropCutRecord(path: string): void {
  const file = openSync(path, 'r+');
  const block = new Uint8Array(BLOCK);
  let at = 0;
  for (let whole = 1; whole > 0; at += whole)
    whole = wholeRecords(block.subarray(0, readSync(file, block, 0, BLOCK, at)));
  ftruncateSync(file, at);
  closeSync(file);
}
