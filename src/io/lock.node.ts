import { existsSync, linkSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isRecord } from '../core/check.js';
import { FormatError } from '../core/errors.js';
import { removeStale, temporaryOf } from './atomic.node.js';
import { type Holder, mayRun, thisProcess } from './process.node.js';

const TOKEN = /^[0-9a-f-]{36}$/;
/** Milliseconds after which a file that does not name its process is nobody's: it is written at once. */
const UNNAMED = 10_000;

/** Locks of this process, which shares them, by file. */
const held = new Map<string, Lock>();

const releaseAll = () => {
  for (const lock of held.values()) lock.release(true);
};

/** A file that exists while a process has a folder to itself, and names it. */
export class Lock {
  readonly file: string;
  readonly #token: string;
  #users = 1;

  private constructor(file: string, token: string) {
    this.file = file;
    this.#token = token;
  }

  /**
   * Takes a folder, if no other process has it; what such processes left behind is removed.
   * @throws FormatError that names the process that has it.
   */
  static take(folder: string, name: string): Lock {
    const file = resolve(folder, name);
    const mine = held.get(file);
    if (mine?.holds()) {
      mine.#users++;
      return mine;
    }
    const lock = new Lock(file, claim(file, folder));
    if (held.size === 0) process.off('exit', releaseAll).on('exit', releaseAll);
    held.set(file, lock);
    removeStale(folder);
    for (const other of readdirSync(folder))
      if (other.startsWith(`${name}.`)) rmSync(join(folder, other), { force: true });
    return lock;
  }

  /** Whether the folder is still this process's: not if it was removed, or made anew by another. */
  holds(): boolean {
    return holderIn(this.file)?.token === this.#token;
  }

  /** Gives the folder back once all who took it have, or at once. */
  release(now = false): void {
    if (--this.#users > 0 && !now) return;
    held.delete(this.file);
    if (this.holds()) unlinkSync(this.file);
  }
}

/**
 * Makes the file, and returns its token. That of a dead process is removed first by whoever holds a lock on that very
 * file, which has the same rules: two that see the same dead process at once do not remove each other's.
 */
function claim(file: string, folder: string): string {
  for (;;) {
    const me = thisProcess();
    if (create(file, JSON.stringify(me))) return me.token;
    const holder = holderIn(file);
    if (!holder) continue; // it was given back in between
    if (mayRun(holder)) throw taken(file, folder, holder);
    const guard = `${file}.${holder.token}`;
    claim(guard, folder);
    try {
      if (holderIn(file)?.token === holder.token) unlinkSync(file);
    } finally {
      rmSync(guard, { force: true });
    }
  }
}

/** Makes a file with all of its content, unless there is one. */
function create(file: string, content: string): boolean {
  const temporary = temporaryOf(file);
  try {
    writeFileSync(temporary, content, { flag: 'wx' });
    linkSync(temporary, file);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (!existsSync(temporary)) throw error;
    return createAtOnce(file, content); // no links on this file system
  } finally {
    rmSync(temporary, { force: true });
  }
}

function createAtOnce(file: string, content: string): boolean {
  try {
    writeFileSync(file, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Who made the file, or undefined if there is none. One that does not say is of no process, once it is old. */
function holderIn(file: string): Holder | undefined {
  try {
    const said: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (isRecord(said) && Number.isInteger(said.pid) && TOKEN.test(String(said.token))) return said as never;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (!(error instanceof SyntaxError)) throw error;
  }
  const age = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  return { pid: age < UNNAMED ? process.pid : -1, host: thisProcess().host, began: '', token: 'unnamed' };
}

function taken(file: string, folder: string, { pid, host }: Holder): FormatError {
  const here = host === thisProcess().host;
  return new FormatError(
    `${folder}: a run's folder must belong to one process at a time; ` +
      `got one that process ${pid}${here ? '' : ` on ${host}`} is using. ` +
      (here ? 'Wait for it, stop it, or choose another folder.' : `Wait for it; if it has ended, remove ${file}.`),
  );
}
