import type { Backend } from '../backend/backend.js';
import { context, within } from '../backend/context.js';
import { check, oneOf, type Rule, synchronous } from '../core/check.js';
import type { FloatType } from '../core/dtype.js';

/** How products store their results, and what they may make of their factors: see `withPrecision`. */
export type Precision = 'f32' | 'f32-exact' | 'f16';

export const precisions: Rule = oneOf('f32', 'f32-exact', 'f16');

declare module '../backend/context.js' {
  interface Context {
    /** That of operations outside every `withPrecision`; f32. */
    precision?: Precision;
  }
}

/** The precision of operations that name none. */
export const precision = (): Precision => context.precision ?? 'f32';

/** That of products whose results must be f32, whatever is around them. */
export const precisionOfF32 = (): Precision => (precision() === 'f16' ? 'f32' : precision());

/** How matrices are multiplied in precision `p` on a backend, for people. */
export function multipliedIn(p: Precision, on: Backend): string {
  if (storedIn(p, on) === 'f16') return 'f16, summed in f32';
  return p === 'f32' && on.traits?.f32Matrices !== undefined ? 'f32 as two f16 each on matrices' : 'f32';
}

/** What a precision says to the variants of a product. */
export const factorsIn = (p: Precision): { half: 0 | 1; exact?: 1 } => ({
  half: p === 'f16' ? 1 : 0,
  ...(p === 'f32-exact' && { exact: 1 }),
});

/**
 * The type that a product in precision `p` stores its result in, the one place that decides so. What follows a product
 * has the type of what it is made of, and a gradient that of what it belongs to; sums, losses and vectors of length 1
 * are f32.
 */
export const storedIn = (p: Precision, on: Backend): FloatType => (p === 'f16' && on.f16 ? 'f16' : 'f32');

/**
 * Runs `fn` with `p` as the precision of the convolutions and matrix products recorded in it; their gradients have it
 * too, whenever `backward` runs. Sums are f32 always.
 *
 * With `f32`, matrices may be multiplied with each factor the sum of two f16 on tensor cores, where a trial of the
 * device as it opened showed errors of 1e-4 of the result's root mean square at most, in sums of 4096. Rows and columns
 * are taken in blocks of up to 128: values below 2^-10 of the largest of their block have fewer than 22 bits then, and
 * those below 2^-33 none. `f32-exact` multiplies f32 as such.
 *
 * With `f16`, results are stored as f16, and factors may be rounded to f16. Gradients below 6e-8 are lost, those below
 * 6e-5 lose digits: scale the loss (see `LossScale`). Adapters without `shader-f16` compute and store in f32.
 */
export function withPrecision<T>(p: Precision, fn: () => T): T {
  check('withPrecision', 'the precision', p, precisions);
  check('withPrecision', 'the work', fn, synchronous);
  return within({ precision: p }, fn);
}
