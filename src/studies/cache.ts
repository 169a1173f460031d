import { callable, check } from '../core/check.js';
import type { StoredTensor } from '../io/safetensors.js';

/** What of an experiment is finished: work is done once, and its outcome found again by the key that says all it depends on. */
export interface Kept {
  /** An outcome that JSON can hold. */
  result<T>(key: object, work: () => Promise<T>): Promise<T>;
  /** An outcome that is tensors by name, such as an encoder. */
  tensors(key: object, work: () => Promise<Map<string, StoredTensor>>): Promise<Map<string, StoredTensor>>;
}

/** Throws unless `kept` and `tell` are what an experiment reports to. */
export function checkKept(where: string, kept: Kept, tell: unknown): void {
  check(where, 'what is kept', kept, { is: 'an object of result and tensors', holds: (v) => typeof v?.result === 'function' && typeof v.tensors === 'function' }, 'Pass keepNothing.');
  check(where, 'tell', tell, callable);
}

/** Keeps nothing. */
export const keepNothing: Kept = {
  result(_, work) {
    check('keepNothing', 'the work', work, callable);
    return work();
  },
  tensors(_, work) {
    check('keepNothing', 'the work', work, callable);
    return work();
  },
};
