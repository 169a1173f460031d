import { check, isRecord } from '../core/check.js';
import type { TypedArray } from '../core/dtype.js';
import { checkTensor, type Tensor } from '../tensor/tensor.js';
import { reshape } from './reshape.js';
import { concat } from './strided.js';

/** Small tensors by name, one after the other in one vector: a single read brings all of them. */
export interface Packed<T> {
  readonly values: Tensor;
  readonly sizes: { readonly [K in keyof T]: number };
}

/** Their values by name; those of a tensor that was left out are undefined. */
export type Unpacked<T> = { [K in keyof T]: undefined extends T[K] ? TypedArray | undefined : TypedArray };

/**
 * Packs tensors of one element type, at least one, for `unpack`. What is undefined is left out; no gradient flows
 * through it.
 */
export function pack<T extends { readonly [K in keyof T]: Tensor | undefined }>(named: T): Packed<T> {
  check('pack', 'what is packed', named, { is: 'an object of tensors', holds: isRecord });
  const given = Object.entries<Tensor | undefined>(named).filter((e): e is [string, Tensor] => e[1] !== undefined);
  for (const [name, t] of given) checkTensor('pack', t, name);
  const vectors = given.map(([, t]) => reshape(t, [t.size]));
  const sizes = Object.fromEntries(given.map(([name, t]) => [name, t.size])) as Packed<T>['sizes'];
  return { values: (vectors.length === 1 ? vectors[0] : concat(vectors)).detach(), sizes };
}

/** Reads what was packed, once the device has computed it. */
export async function unpack<T>({ values, sizes }: Packed<T>): Promise<Unpacked<T>> {
  const all = await values.data();
  let from = 0;
  const parts = Object.entries<number>(sizes).map(([name, size]) => [name, all.subarray(from, (from += size))]);
  return Object.fromEntries(parts) as Unpacked<T>;
}
