/** base · ½ (1 + cos(π t)) for the part t in [0, 1] of the training that is done. MoCo v2 sets it once an epoch. */
export const cosine = (base: number, t: number): number => base * 0.5 * (1 + Math.cos(Math.PI * t));
