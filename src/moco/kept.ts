import type { StoredTensor } from '../io/safetensors.js';

/** What of an experiment is finished: work is done once, and its outcome found again by the key that says all it depends on. */
export interface Kept {
  /** An outcome that JSON can hold. */
  result<T>(key: object, work: () => Promise<T>): Promise<T>;
  /** An outcome that is tensors by name, such as an encoder. */
  tensors(key: object, work: () => Promise<Map<string, StoredTensor>>): Promise<Map<string, StoredTensor>>;
}

/** Keeps nothing. */
export const keepNothing: Kept = { result: (_, work) => work(), tensors: (_, work) => work() };
