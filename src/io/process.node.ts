import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process as a file names it, so that others can tell whether it still runs. */
export interface Holder {
  pid: number;
  host: string;
  /** When it began, by the system's clock, where that is known: numbers of processes come again. */
  began: string;
  /** Of the file that names it. */
  token: string;
}

/** This process, with a token of its own for each call. */
export const thisProcess = (): Holder => ({
  pid: process.pid,
  host: hostname(),
  began: beganOf(process.pid) ?? '',
  token: randomUUID(),
});

/** Whether a process may still run: one of another host may. */
export function mayRun({ pid, host, began }: Pick<Holder, 'pid' | 'host' | 'began'>): boolean {
  if (host !== hostname()) return true;
  if (!(pid > 0)) return false; // signals to those go to groups
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = beganOf(pid);
  return now !== DEAD && (now === undefined || began === '' || now === began);
}

const DEAD = 'dead';

/** When a process began, in ticks since the system did; `dead` for one that only waits to be noticed. Linux tells. */
function beganOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? DEAD : fields[19];
  } catch {
    return undefined;
  }
}
