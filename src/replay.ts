import { callable, check } from './core/check.js';

/** What a recorded function does and assumes on the host, where no dispatch can tell. */
export class HostLog {
  readonly effects: (() => void)[] = [];
  readonly facts = new Map<object, { get: () => unknown; value: unknown }>();

  /** Whether every fact is as it was when the recording began. */
  holds(): boolean {
    for (const { get, value } of this.facts.values()) if (get() !== value) return false;
    return true;
  }

  replay(): void {
    for (const effect of this.effects) effect();
  }
}

let current: HostLog | undefined;

/** Runs `fn` and notes what it reports by `onReplay` and `dependsOn`. */
export function logHost<T>(fn: () => T): [T, HostLog] {
  const log = (current = new HostLog());
  try {
    return [fn(), log];
  } finally {
    current = undefined;
  }
}

/** Whether a compiled function is being recorded. */
export const recording = (): boolean => current !== undefined;

/** Repeats `effect` whenever what is being recorded is replayed: for counters and the like, which live on the host. */
export function onReplay(effect: () => void): void {
  check('onReplay', 'the effect', effect, callable);
  current?.effects.push(effect);
}

/**
 * Says that what is being recorded depends on the host value that `get` tells: a call that finds another value
 * records anew. Only the first report for a `key` counts, since later ones may see what the recording itself changed.
 */
export function dependsOn(key: object, get: () => unknown): void {
  check('dependsOn', 'the key', key, { is: 'an object', holds: (v) => Object(v) === v });
  check('dependsOn', 'get', get, callable);
  if (current && !current.facts.has(key)) current.facts.set(key, { get, value: get() });
}
