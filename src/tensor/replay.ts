import { type Backend, countWrite, type Storage } from '../backend/backend.js';
import { context } from '../backend/context.js';
import { callable, check } from '../core/check.js';

/** What a recorded function does and assumes on the host, where no dispatch can tell. */
export class HostLog {
  readonly effects: (() => void)[] = [];
  /** What goes before each call's work on the device, the first's too, by what it is for. */
  readonly before = new Map<object, (() => void)[]>();
  readonly facts = new Map<object, { get: () => unknown; value: unknown }>();
  /** How many facts were known at each upload of values. */
  readonly uploads: number[] = [];
  /** Math.random was called. */
  random = false;
  /** The memory that outlives a call and that it writes. */
  readonly writes = new Set<Storage>();
  readonly #on: Backend;
  /** How many writes the backend had counted when the recording began. */
  readonly #began: number;

  constructor(on: Backend) {
    this.#on = on;
    this.#began = on.writes ?? 0;
  }

  /** Notes calls of Math.random, until what it returns is called. */
  watchRandom(): () => void {
    const { random } = Math;
    const noted = () => ((this.random = true), random());
    Reflect.set(Math, 'random', noted); // which does nothing where Math is frozen
    return () => void Reflect.set(Math, 'random', random);
  }

  /** Notes a write before it is counted: what had values before the recording began outlives it. */
  noteWrite(storage: Storage): void {
    if (storage.written !== undefined && storage.written <= this.#began) this.writes.add(storage);
  }

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

  /** Before the work of a call is handed to the device. */
  begin(): void {
    for (const effects of this.before.values()) for (const effect of effects) effect();
    for (const storage of this.writes) countWrite(this.#on, storage);
  }
}

declare module '../backend/context.js' {
  interface Context {
    /** What a compiled function does on the host while it is recorded. */
    host?: HostLog;
  }
}

/** Whether a compiled function is being recorded. */
export const recording = (): boolean => context.host !== undefined;

/** Reports that a tensor is given values. */
export const noteUpload = (): void => void context.host?.uploads.push(context.host.facts.size);

/** Counts a write to memory, so that `backward` finds what changed since the forward pass; a replay repeats it. */
export function noteWrite(on: Backend, storage: Storage): void {
  context.host?.noteWrite(storage);
  countWrite(on, storage);
}

/** Repeats `effect` whenever what is being recorded is replayed: for counters and the like, which live on the host. */
export function onReplay(effect: () => void): void {
  check('onReplay', 'the effect', effect, callable);
  context.host?.effects.push(effect);
}

/**
 * Runs `effect` now, or while a function is being recorded before the work of each of its calls, the first too: it may
 * set the values of tensors that the work reads, such as the rate of a schedule.
 *
 * @param effect gets how many `owner` had in this recording before; 0 where there is none.
 * @returns that number.
 */
export function beforeWork(owner: object, effect: (nth: number) => void): number {
  check('beforeWork', 'the owner', owner, { is: 'an object', holds: (v) => Object(v) === v });
  check('beforeWork', 'the effect', effect, callable);
  const earlier = context.host?.before.get(owner) ?? [];
  const nth = earlier.length;
  if (context.host) context.host.before.set(owner, [...earlier, () => effect(nth)]);
  else effect(nth);
  return nth;
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
