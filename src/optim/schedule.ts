/** base · ½ (1 + cos(π t)) for the part t in [0, 1] of the training that is done. MoCo v2 sets it once an epoch. */
export const cosine = (base: number, t: number): number => base * 0.5 * (1 + Math.cos(Math.PI * t));

/**
 * Rises in a line from 0 to `base` over `warm` epochs, then falls along half a cosine to 0 at the end: MoCo v3's.
 *
 * @param e epochs done, with the part of the one under way: it is set every step.
 * @param E epochs in all.
 */
export const warmupCosine = (base: number, e: number, warm: number, E: number): number =>
  e < warm ? (base * e) / warm : cosine(base, (e - warm) / (E - warm));

/** base, times `factor` for each of the `milestones` (epochs) that has come: MoCo v1 at 120 and 160 of 200. */
export const stepDecay = (base: number, epoch: number, milestones: readonly number[], factor = 0.1): number =>
  base * factor ** milestones.filter((m) => epoch >= m).length;

/** The key encoder's momentum, from m0 up to 1 along half a cosine: MoCo v3's. `e` epochs of `E` are done. */
export const momentumCosine = (m0: number, e: number, E: number): number => 1 - cosine(1 - m0, e / E);

/** A learning rate given for batches of 256, for batches of `batch` (Goyal et al. 2017). */
export const scaledRate = (base: number, batch: number): number => (base * batch) / 256;
