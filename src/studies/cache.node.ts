import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { appendLine, readLines, writeAtomic } from '../io/atomic.node.js';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../io/safetensors.js';
import type { ResultCache } from './cache.js';

/**
 * Outcomes in a folder: a line of results.jsonl each, tensors in files. A line that a crash cut off counts as undone.
 *
 * @param common what every outcome depends on: data, adapter, version.
 */
export class FolderCache implements ResultCache {
  readonly #folder: string;
  readonly #common: object;
  readonly #results: Map<string, unknown>;

  constructor(folder: string, common: object) {
    this.#folder = folder;
    this.#common = common;
    this.#results = new Map();
    for (const { key, result } of readLines<{ key: object; result: unknown }>(join(folder, 'results.jsonl')))
      this.#results.set(JSON.stringify(key), result);
  }

  async result<T>(key: object, work: () => Promise<T>): Promise<T> {
    const whole = { ...this.#common, ...key };
    const name = JSON.stringify(whole);
    if (!this.#results.has(name)) {
      const result = await work();
      await appendLine(join(this.#folder, 'results.jsonl'), { key: whole, result });
      this.#results.set(name, result);
    }
    return this.#results.get(name) as T;
  }

  async tensors(key: object, work: () => Promise<Map<string, StoredTensor>>): Promise<Map<string, StoredTensor>> {
    const name = JSON.stringify({ ...this.#common, ...key });
    const file = join(
      this.#folder,
      `encoder-${createHash('sha256').update(name).digest('hex').slice(0, 12)}.safetensors`,
    );
    if (existsSync(file)) return decodeSafetensors(readFileSync(file), file).tensors;
    const tensors = await work();
    await writeAtomic(file, encodeSafetensors(tensors, { madeBy: name }));
    return tensors;
  }
}
