import type { TypedArray } from '../core/dtype.js';

/** Constants of a step of AdamW over `length` values. */
export interface AdamWParams {
  length: number;
  beta1: number;
  beta2: number;
  eps: number;
  weightDecay: number;
  /** dw is to be multiplied by the guard; where that is 0, nothing changes. */
  scaled: boolean;
}

/** One step of AdamW; corrections hold 1 - beta^steps. */
export function adamw(
  [dw, lr, guard, w, m, v, corrections]: TypedArray[],
  { length, beta1, beta2, eps, weightDecay, scaled }: AdamWParams,
): void {
  if (scaled && guard[0] === 0) return;
  [beta1, beta2].forEach((beta, i) => (corrections[i] = beta * corrections[i] + (1 - beta)));
  for (let i = 0; i < length; i++) {
    const g = dw[i] * (scaled ? guard[0] : 1);
    w[i] *= 1 - lr[0] * weightDecay;
    m[i] = beta1 * m[i] + (1 - beta1) * g;
    v[i] = beta2 * v[i] + (1 - beta2) * g ** 2;
    w[i] -= ((lr[0] / corrections[0]) * m[i]) / (Math.sqrt(v[i]) / Math.sqrt(corrections[1]) + eps);
  }
}
