import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { decodeSafetensors } from '../../src/io/safetensors.js';
import type { Cases } from './cases.js';
import { mix } from './values.js';

const read = (name: string) => readFileSync(join(import.meta.dirname, name));

export const cases = JSON.parse(read('cases.json').toString()) as Cases;
const { tensors } = decodeSafetensors(read('golden.safetensors'), 'golden.safetensors');
const golden = new Map([...tensors].map(([name, t]) => [name, t.data as Float32Array]));

/** Every name of the file, without the two ways in which a large tensor is stored. */
export const names: readonly string[] = [...new Set([...golden.keys()].map((name) => name.replace(/@[sn]$/, '')))];

/** Values by the name that the file has them under. */
export type Items = Map<string, ArrayLike<number>>;

/** How far an item is, or may be, from the golden one. */
export interface Distance {
  /** The largest difference over the largest golden value. */
  error: number;
  /** The L2 norm of the difference over that of the golden values. */
  rms: number;
  /** The difference of L2 norms over the golden one. */
  norm: number;
}

const measures = ['error', 'rms', 'norm'] as const;

/** What of an item is compared; items for which it returns nothing are not. */
export type Chosen = (name: string) => ((values: ArrayLike<number>) => ArrayLike<number>) | undefined;
const whole = (values: ArrayLike<number>) => values;

/**
 * Compares what was computed of a case with all that the file holds of it: every item, and no other. No item may be
 * farther than the bands say. Returns the largest distances.
 */
export function compare(name: string, items: Items, bands: Partial<Distance>, chosen: Chosen = () => whole): Distance {
  const wanted = names.filter((n) => (n === name || n.startsWith(`${name}/`)) && chosen(n));
  expect([...items.keys()].filter(chosen).sort()).toEqual(wanted.sort());
  const rows = wanted.map((item) => ({ item, ...distance(item, items.get(item)!, chosen(item)!) }));
  const wrong = rows.filter((r) => !measures.every((m) => r[m] <= (bands[m] ?? Infinity)));
  const told = wrong.map((r) => `${r.item}: ${measures.map((m) => `${m} ${r[m].toExponential(1)}`).join(', ')}`);
  if (wrong.length)
    throw new Error(`${wrong.length} of ${rows.length} items beyond ${JSON.stringify(bands)}:\n${told.join('\n')}`);
  const largest = (m: keyof Distance) => Math.max(...rows.map((r) => r[m]));
  return { error: largest('error'), rms: largest('rms'), norm: largest('norm') };
}

/** Large tensors are stored as `limit` samples at hashed places, with their norm and sum. */
function distance(
  item: string,
  values: ArrayLike<number>,
  part: (v: ArrayLike<number>) => ArrayLike<number>,
): Distance {
  const stored = golden.get(item);
  if (stored) return between(part(values), part(stored));
  const sampled = Float64Array.from({ length: cases.limit }, (_, i) => values[mix(i + 1) % values.length]);
  const [norm] = golden.get(`${item}@n`)!;
  return { ...between(sampled, golden.get(`${item}@s`)!), norm: Math.abs(normOf(values) / norm - 1) };
}

const normOf = (values: ArrayLike<number>): number => {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] ** 2;
  return Math.sqrt(total);
};

/** Numbers that are not finite are as far as can be. */
function between(got: ArrayLike<number>, want: ArrayLike<number>): Distance {
  const differences = Float64Array.from(want, (v, i) => Math.abs(got[i] - v));
  if (got.length !== want.length || !differences.every(Number.isFinite))
    return { error: Infinity, rms: Infinity, norm: Infinity };
  const largest = (values: ArrayLike<number>) => Array.from(values).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const over = (difference: number, size: number) => difference / Math.max(size, 1e-30); // 0 of 0
  return {
    error: over(largest(differences), largest(want)),
    rms: over(normOf(differences), normOf(want)),
    norm: over(Math.abs(normOf(got) - normOf(want)), normOf(want)),
  };
}
