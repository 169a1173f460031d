import type { TypedArray } from '../core/dtype.js';

/** Constants of a step of SGD over `length` values. */
export interface SgdParams {
  length: number;
  momentum: number;
  weightDecay: number;
  nesterov: boolean;
}

/** One step of stochastic gradient descent with momentum. */
export function sgd([dw, lr, w, v]: TypedArray[], { length, momentum, weightDecay, nesterov }: SgdParams): void {
  for (let i = 0; i < length; i++) {
    let g = dw[i] + weightDecay * w[i];
    v[i] = momentum * v[i] + g;
    if (nesterov) g += momentum * v[i];
    else g = v[i];
    w[i] -= lr[0] * g;
  }
}
