import type { DispatchRecord } from '../backend/backend.js';
import { anything, callable, check, isRecord, listOf, whole } from '../core/check.js';
import type { Compiled } from './compile.js';
import type { Inputs } from './inputs.js';

/**
 * Times every dispatch of a compiled function on the device. It is called `rounds` times after it has been recorded,
 * and each dispatch is given its median; like any calls, these change the state that the function changes. Timed one
 * by one, dispatches never overlap, so their sum may exceed what a step takes.
 *
 * @returns a record a dispatch, in order: what asked for it, microseconds, bytes of its bindings, floating-point
 * operations.
 * @throws ConfigError on the reference backend.
 */
export async function profile<A extends unknown[], R>(
  compiled: Compiled<A, R>,
  inputs: { [K in keyof A]: Inputs<A[K]> },
  rounds = 3,
): Promise<DispatchRecord[]> {
  check('profile', 'the function', compiled?.profile, callable, 'Pass what compile() returned.');
  check('profile', 'the inputs', inputs, listOf(anything), 'Pass one for each argument.');
  check('profile', 'rounds', rounds, whole(1));
  await compiled.async(...inputs);
  await compiled.async(...inputs); // trusted from here on
  return medians(rounds, () => compiled.profile(...inputs));
}

/** Calls `once` so many times; each dispatch's time is the median, its start that of the last call. */
export async function medians(rounds: number, once: () => Promise<DispatchRecord[]>): Promise<DispatchRecord[]> {
  const seen: DispatchRecord[][] = [];
  for (let i = 0; i < Math.max(1, rounds); i++) seen.push(await once());
  const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1];
  return seen
    .at(-1)!
    .map((record, i) => ({ ...record, microseconds: median(seen.map((records) => records[i].microseconds)) }));
}

/** The records as JSON of the Trace Event Format, which chrome://tracing and ui.perfetto.dev open. */
export function chromeTrace(records: readonly DispatchRecord[]): string {
  check(
    'chromeTrace',
    'records',
    records,
    listOf({ is: 'an object', holds: isRecord }),
    'Pass what profile() returned.',
  );
  const traceEvents = records.map(({ op, kernel, start, microseconds, bytes, flops, groups }) => ({
    name: kernel,
    cat: op,
    ph: 'X',
    pid: 1,
    tid: 1,
    ts: start,
    dur: microseconds,
    args: { op, bytes, flops, groups },
  }));
  return JSON.stringify({ displayTimeUnit: 'ms', traceEvents });
}
