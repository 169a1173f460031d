/** How products may treat their factors: `f16` rounds them to half precision where the adapter has it. Sums are f32 always. */
export type Precision = 'f32' | 'f16';

let current: Precision = 'f32';

/** The precision of operations that were not told one. */
export const precision = (): Precision => current;

/**
 * Runs `fn` with `p` as the precision of the products recorded in it; their gradients have it too, whenever `backward`
 * runs. With `f16`, gradients below 6e-5 lose digits: scale the loss. Adapters without `shader-f16` compute in f32.
 */
export function withPrecision<T>(p: Precision, fn: () => T): T {
  const before = current;
  current = p;
  try {
    return fn();
  } finally {
    current = before;
  }
}
