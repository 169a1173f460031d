import { Rng } from '../core/rng.js';
import { state, type Tensor, tensor } from '../tensor.js';

/** Kept rows [K, dim] of length 1 in random directions: what a queue or memory bank holds before any key. */
export function randomKeys(K: number, dim: number, seed: number): Tensor {
  const rng = new Rng(seed, 'queue');
  const rows = new Float32Array(K * dim);
  for (let i = 0; i < K; i++) {
    const row = Array.from({ length: dim }, () => rng.normal());
    const length = Math.hypot(...row);
    rows.set(row.map((v) => v / length), i * dim);
  }
  return state(tensor(rows, [K, dim]));
}
