import { FormatError } from '../core/errors.js';
import { visibleName } from '../core/visible.js';
import type { StoredTensor } from '../io/safetensors.js';

type Tensors = ReadonlyMap<string, Pick<StoredTensor, 'data'>>;

/** Where values are that are not finite, as part of a sentence: the first tensor, how many, in how many tensors. */
export function nonFinite(tensors: Tensors): string | undefined {
  const found = [...tensors]
    .map(([name, { data }]) => ({ name, count: data instanceof Float32Array ? countIn(data) : 0 }))
    .filter((t) => t.count > 0);
  if (found.length === 0) return undefined;
  const total = found.reduce((n, t) => n + t.count, 0);
  const where =
    found.length === 1 ? visibleName(found[0].name) : `${visibleName(found[0].name)} first, of ${found.length} tensors`;
  return `values must be finite; got ${total} that ${total === 1 ? 'is' : 'are'} not, in ${where}`;
}

function countIn(values: Float32Array): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) count++;
  return count;
}

/** @throws FormatError if a value is not finite, but for tensors of other names. */
export function checkFinite(tensors: Tensors, file: string, isOther: (name: string) => boolean = () => false): void {
  const found = nonFinite(new Map([...tensors].filter(([name]) => !isOther(name))));
  if (found)
    throw new FormatError(
      `${file}: ${found}. Nothing can be computed with them: take a checkpoint from before training failed.`,
    );
}
