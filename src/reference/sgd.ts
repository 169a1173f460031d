import type { TypedArray } from '../core/dtype.js';

/** Constants of a step of SGD over `length` values. */
export interface SgdParams {
  length: number;
  momentum: number;
  weightDecay: number;
  nesterov: boolean;
  /** dw is to be multiplied by the guard; where that is 0, nothing changes. */
  scaled: boolean;
}

/** One step of stochastic gradient descent with momentum. */
export function sgd(
  [dw, lr, guard, w, v]: TypedArray[],
  { length, momentum, weightDecay, nesterov, scaled }: SgdParams,
): void {
  if (scaled && guard[0] === 0) return;
  for (let i = 0; i < length; i++) {
    let g = dw[i] * (scaled ? guard[0] : 1) + weightDecay * w[i];
    v[i] = momentum * v[i] + g;
    if (nesterov) g += momentum * v[i];
    else g = v[i];
    w[i] -= lr[0] * g;
  }
}
