import { callable, check } from '../core/check.js';
import type { StoredTensor } from '../io/safetensors.js';

/**
 * What of an experiment is finished: work is done once, and its outcome found again by the key that says all it depends
 * on.
 */
export interface ResultCache {
  /** An outcome that JSON can hold. */
  result<T>(key: object, work: () => Promise<T>): Promise<T>;
  /** An outcome that is tensors by name, such as an encoder. */
  tensors(key: object, work: () => Promise<Map<string, StoredTensor>>): Promise<Map<string, StoredTensor>>;
}

/** Throws unless `cache` and `log` are what an experiment reports to. */
export function checkCache(where: string, cache: ResultCache, log: unknown): void {
  check(
    where,
    'the cache',
    cache,
    {
      is: 'an object of result and tensors',
      holds: (v) => typeof v?.result === 'function' && typeof v.tensors === 'function',
    },
    'Pass noCache.',
  );
  check(where, 'log', log, callable);
}

/** A cache of nothing: all work is done. */
export const noCache: ResultCache = {
  result(_, work) {
    check('noCache', 'the work', work, callable);
    return work();
  },
  tensors(_, work) {
    check('noCache', 'the work', work, callable);
    return work();
  },
};
