import { Rng } from '../core/rng.js';
import { checkShape } from '../core/shape.js';
import { state, type Tensor, tensor } from '../tensor/tensor.js';

/** Rows [K, dim] of length 1 in random directions. */
export function randomRows(K: number, dim: number, seed: number): Float32Array {
  checkShape('queue', [K, dim]);
  const rng = new Rng(seed, 'queue');
  const rows = new Float32Array(K * dim);
  for (let i = 0; i < K; i++) {
    const row = Array.from({ length: dim }, () => rng.normal());
    const length = Math.hypot(...row);
    rows.set(row.map((v) => v / length), i * dim);
  }
  return rows;
}

/** Such rows as kept state: what a queue or memory bank holds before any key. */
export const randomKeys = (K: number, dim: number, seed: number): Tensor => state(tensor(randomRows(K, dim, seed), [K, dim]));
