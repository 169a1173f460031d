import type { Rule } from '../core/check.js';

/** One number for rows and columns, or both. */
export type Pair = number | readonly [number, number];

export const pair = (v: Pair): readonly [number, number] => (typeof v === 'number' ? [v, v] : v);

/** Whole numbers, `least` at least. */
export const pairFrom = (least: number): Rule => ({
  is: `a whole number or two, at least ${least}`,
  holds: (v) => [v].flat().every((n) => Number.isInteger(n) && n >= least) && (!Array.isArray(v) || v.length === 2),
});
