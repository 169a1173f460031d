import { avgPool } from '../../src/ops/avg_pool.js';
import { maxPool } from '../../src/ops/max_pool.js';
import { parameter, state, type Tensor, tensor } from '../../src/tensor/tensor.js';
import { gradientsOf } from '../gradients.js';
import type { Bench, Case, Loose } from '../record.js';
import { values } from '../values.js';

type Pool = (x: Tensor, options: { kernel: number; stride: number; padding: number }) => Tensor;

/** 3×3 windows, 2 apart, forward and backward; tfjs pads alike where the size is odd. */
function pooling(ours: Pool, theirs: 'maxPool' | 'avgPool', [N, H, W, C]: readonly number[]): Case {
  const shape = [N, H, W, C];
  const [P, Q] = [(H + 1) / 2, (W + 1) / 2];
  const out = [N, P, Q, C];
  return {
    label: shape.join('×'),
    bytes: 4 * N * C * (2 * H * W + 2 * P * Q),
    ours: () => {
      const [x, dy] = [parameter(tensor(values(shape, 1), shape)), state(tensor(values(out, 2), out))];
      return () => {
        const y = ours(x, { kernel: 3, stride: 2, padding: 1 });
        return [y, ...gradientsOf(y, dy)];
      };
    },
    tfjs: (tf) => {
      const [x, dy] = [tf.tensor(values(shape, 1), shape), tf.tensor(values(out, 2), out)];
      return () => {
        const { value, grad } = tf.valueAndGrad((v: Loose) => tf[theirs](v, 3, 2, 1, 'floor'))(x, dy);
        return [value, grad];
      };
    },
    small: () => pooling(ours, theirs, [2, 9, 11, C]),
  };
}

const lacks = { jax: 'jax-js lacks pooling over windows' };
const shape = (full: boolean) => [full ? 128 : 4, 57, 57, 64];
const plainAvg: Pool = (x, options) => avgPool(x, { ...options, countIncludePad: false });

export const largest: Bench = { name: 'max pool', lacks, cases: (full) => [pooling(maxPool, 'maxPool', shape(full))] };
export const means: Bench = { name: 'avg pool', lacks, cases: (full) => [pooling(plainAvg, 'avgPool', shape(full))] };
