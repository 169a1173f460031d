import { above0, anyNumber, atLeast0, check, listOf, upTo1 } from '../core/check.js';

/**
 * base · ½ (1 + cos(π t)) for the part t of the training that is done, 0 from t = 1 on. MoCo v2 sets it once an epoch.
 */
export function cosine(base: number, t: number): number {
  check('cosine', 'base', base, anyNumber);
  check('cosine', 't', t, atLeast0);
  return base * 0.5 * (1 + Math.cos(Math.PI * Math.min(t, 1)));
}

/**
 * Rises in a line from 0 to `base` over `warm` epochs, then falls along half a cosine to 0 at the end: MoCo v3's.
 *
 * @param e epochs done, with the part of the one under way: it is set every step.
 * @param E epochs in all, more than `warm`.
 */
export function warmupCosine(base: number, e: number, warm: number, E: number): number {
  check('warmupCosine', 'base', base, anyNumber);
  for (const [name, v] of Object.entries({ e, warm })) check('warmupCosine', name, v, atLeast0);
  check('warmupCosine', 'E', E, {
    is: `a number above the ${warm} epochs of warm-up`,
    holds: (v) => Number.isFinite(v) && v > warm,
  });
  return e < warm ? (base * e) / warm : cosine(base, (e - warm) / (E - warm));
}

/** base, times `factor` for each of the `milestones` (epochs) that has come: MoCo v1 at 120 and 160 of 200. */
export function stepDecay(base: number, epoch: number, milestones: readonly number[], factor = 0.1): number {
  for (const [name, v] of Object.entries({ base, epoch, factor })) check('stepDecay', name, v, anyNumber);
  check('stepDecay', 'milestones', milestones, listOf(anyNumber));
  return base * factor ** milestones.filter((m) => epoch >= m).length;
}

/** The key encoder's momentum, from m0 up to 1 along half a cosine: MoCo v3's. `e` epochs of `E` are done. */
export function momentumCosine(m0: number, e: number, E: number): number {
  check('momentumCosine', 'm0', m0, upTo1);
  check('momentumCosine', 'e', e, atLeast0);
  check('momentumCosine', 'E', E, above0);
  return 1 - cosine(1 - m0, e / E);
}

/** A learning rate given for batches of 256, for batches of `batch` (Goyal et al. 2017). */
export function scaledRate(base: number, batch: number): number {
  check('scaledRate', 'base', base, anyNumber);
  check('scaledRate', 'batch', batch, above0);
  return (base * batch) / 256;
}
