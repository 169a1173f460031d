import { useBackend } from '../../src/backend/backend.js';
import { DawngradError } from '../../src/core/errors.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { reference } from './devices.js';

/** A function of the library, what it is rightly called with, and what is special about it. */
export interface Row {
  call: (...args: any[]) => unknown;
  args: () => unknown[];
  /** Arguments that have no default; all, if it is not said. */
  needed?: number;
  /** Places of arguments that may be anything. */
  free?: readonly number[];
  /** Other calls that must be refused. */
  wrong?: () => unknown[][];
  /** Calls that are accepted take long: only what must be refused is tried. */
  slow?: boolean;
}

/** What every error of the library reads like. */
export const SENTENCE = /^[^:]+: [\s\S]*\bmust\b[\s\S]*; got [\s\S]*\. \S/;

export type Outcome = { value: unknown } | { error: unknown };

/** Calls, on the reference backend. */
export async function outcome(call: Row['call'], args: unknown[]): Promise<Outcome> {
  useBackend(reference);
  try {
    const value = call(...args);
    return { value: await (isIterator(value) ? [...value] : value) };
  } catch (error) {
    return { error };
  }
}

const isIterator = (v: unknown): v is Iterable<unknown> =>
  typeof v === 'object' && v !== null && 'next' in v && Symbol.iterator in v;

/** What is wrong with an outcome that is not a value: another error than the library's, or another sentence. */
export function fault(o: Outcome, sentence = false): string | undefined {
  if (!('error' in o)) return undefined;
  const { error } = o;
  if (error instanceof DawngradError)
    return sentence && !SENTENCE.test(error.message) ? `says: ${error.message}` : undefined;
  // of the file system
  if (error instanceof Error && /^E[A-Z]+$/.test((error as NodeJS.ErrnoException).code ?? '')) return undefined;
  return `throws ${error instanceof Error ? error.stack?.split('\n').slice(0, 3).join(' ') : String(error)}`;
}

/** Whether a value holds a tensor with a value that is no number. */
export async function holdsNaN(value: unknown): Promise<boolean> {
  const inside =
    typeof value === 'object' &&
    value !== null &&
    !(value instanceof Tensor) &&
    [Object.prototype, Array.prototype].includes(Object.getPrototypeOf(value))
      ? Object.values(value)
      : [value];
  for (const t of inside)
    if (t instanceof Tensor && (await t.data().catch(() => [] as number[])).some((v: number) => Number.isNaN(v)))
      return true;
  return false;
}
