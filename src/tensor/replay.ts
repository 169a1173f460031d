import { context, within } from '../backend/context.js';
import { callable, check } from '../core/check.js';

/** What a recorded function does and assumes on the host, where no dispatch can tell. */
export class HostLog {
  readonly effects: (() => void)[] = [];
  /** What follows each call, the first too. */
  readonly after: (() => void)[] = [];
  readonly facts = new Map<object, { get: () => unknown; value: unknown }>();
  /** How many facts were known at each upload of values. */
  readonly uploads: number[] = [];
  /** Math.random was called. */
  random = false;

  /** Whether every fact is as it was when the recording began. */
  holds(): boolean {
    for (const { get, value } of this.facts.values()) if (get() !== value) return false;
    return true;
  }

  /** Whether the first facts, or all, are those of `other`. */
  agrees(other: HostLog, first = Infinity): boolean {
    const [mine, others] = [this, other].map((log) => [...log.facts].slice(0, first));
    return (
      mine.length === others.length &&
      mine.every(([key, { value }], i) => key === others[i][0] && value === others[i][1].value)
    );
  }

  replay(): void {
    for (const effect of this.effects) effect();
  }

  /** Once the work of a call is handed to the device. */
  finish(): void {
    for (const effect of this.after) effect();
  }
}

declare module '../backend/context.js' {
  interface Context {
    /** What a compiled function does on the host while it is recorded. */
    host?: HostLog;
  }
}

/** Runs `fn` and notes what it reports by `onReplay` and `dependsOn`, and whether it calls Math.random. */
export function logHost<T>(fn: () => T): [T, HostLog] {
  const log = new HostLog();
  const { random } = Math;
  const noted = () => ((log.random = true), random());
  Reflect.set(Math, 'random', noted); // which does nothing where Math is frozen
  try {
    return [within({ host: log }, fn), log];
  } finally {
    Reflect.set(Math, 'random', random);
  }
}

/** Whether a compiled function is being recorded. */
export const recording = (): boolean => context.host !== undefined;

/** Reports that a tensor is given values. */
export const noteUpload = (): void => void context.host?.uploads.push(context.host.facts.size);

/** Repeats `effect` whenever what is being recorded is replayed: for counters and the like, which live on the host. */
export function onReplay(effect: () => void): void {
  check('onReplay', 'the effect', effect, callable);
  context.host?.effects.push(effect);
}

/**
 * Runs `effect` after the work recorded so far, and after each call of what is being recorded: it may set the values of
 * tensors that the next call reads, such as the rate of a schedule.
 */
export function onReplayed(effect: () => void): void {
  check('onReplayed', 'the effect', effect, callable);
  if (context.host) context.host.after.push(effect);
  else effect();
}

/**
 * Says that what is being recorded depends on the host value that `get` tells: a call that finds another value
 * records anew. Only the first report for a `key` counts, since later ones may see what the recording itself changed.
 */
export function dependsOn(key: object, get: () => unknown): void {
  check('dependsOn', 'the key', key, { is: 'an object', holds: (v) => Object(v) === v });
  check('dependsOn', 'get', get, callable);
  const facts = context.host?.facts;
  if (facts && !facts.has(key)) facts.set(key, { get, value: get() });
}
