import type { Backend, Storage } from '../backend/backend.js';
import { context, within } from '../backend/context.js';
import { check, synchronous } from '../core/check.js';

/** What holds memory: a tensor. */
interface Holder {
  readonly storage: Storage;
  readonly backend: Backend;
}

declare module '../backend/context.js' {
  interface Context {
    /** Where memory that is made belongs. */
    scope?: Scope;
  }
}

/** Memory outside any step is recycled when JavaScript collects the last tensor over it. */
const collected = new FinalizationRegistry<[Backend, Storage]>(([on, storage]) => on.free(storage));

/**
 * Runs one step of work. Everything made inside is recycled when it ends, but for parameters, state and what `fn`
 * returns: a loop of steps holds memory flat and nobody frees anything.
 *
 * @returns what `fn` returns; tensors in it (alone, in arrays or in plain objects) stay usable.
 */
export function tidy<T>(fn: () => T): T {
  check('tidy', 'the work', fn, synchronous);
  const scope = new Scope();
  let result: T | undefined;
  try {
    return (result = within({ scope }, fn));
  } finally {
    scope.end(result);
  }
}

/** Memory made while this is the innermost of the context, to be recycled when it ends. */
export class Scope {
  readonly made = new Map<Storage, Backend>();
  readonly outer = context.scope;

  /** Recycles all but the tensors in `result`, which go to the scope outside. @throws DeviceError if one is gone. */
  end(result: unknown): void {
    let returned: [Storage, Holder][] = [];
    try {
      returned = [...tensorsIn(result)].map((t) => [root(t.storage), t]);
    } finally {
      for (const [storage, t] of returned) if (this.made.delete(storage)) collect(t);
      for (const on of new Set(this.made.values())) on.flush();
      for (const [storage, on] of this.made) on.free(storage);
    }
  }
}

/** Puts a new tensor's memory in the current step, or in JavaScript's care outside of steps. */
export function collect(t: Holder): void {
  const { scope } = context;
  if (scope) scope.made.set(root(t.storage), t.backend);
  else watch(t);
}

/** Takes a tensor's memory out of every step: it lives as long as the program holds it. */
export function keep(t: Holder): void {
  for (let { scope } = context; scope; scope = scope.outer) scope.made.delete(root(t.storage));
  watch(t);
}

function watch(t: Holder): void {
  const storage = root(t.storage);
  if (storage.collected) return;
  storage.collected = true;
  collected.register(storage, [t.backend, { ...storage }]);
}

/** The memory that a slice is part of. */
const root = (storage: Storage): Storage => (storage.parent ? root(storage.parent) : storage);

/** Whether a value is an array or a plain object, which tensors are looked for in. */
export const isPlain = (value: object): boolean =>
  Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;

/** The tensors in a value: itself, in arrays, in plain objects. */
export function* tensorsIn(value: unknown): Iterable<Holder> {
  if (value === null || typeof value !== 'object') return;
  if ('storage' in value && 'backend' in value) yield value as Holder;
  else if (isPlain(value)) for (const v of Object.values(value)) yield* tensorsIn(v);
}
