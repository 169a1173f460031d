import { attentionQkv } from '../../src/ops/attention.js';
import { parameter, state, tensor } from '../../src/tensor/tensor.js';
import { gradientsOf } from '../gradients.js';
import type { Bench, Case, Loose } from '../record.js';
import { values } from '../values.js';

/**
 * Attention of `N` tokens to themselves, from queries, keys and values in one tensor, forward and backward: 2 and 5
 * products.
 */
function attend(batch: number, N: number, heads: number, D: number): Case {
  const [qkv, out, scale] = [[batch, N, 3 * heads * D], [batch, N, heads * D], D ** -0.5];
  return {
    label: `${batch}×${N}, ${heads} heads of ${D}`,
    flops: 7 * 2 * batch * heads * N * N * D,
    tolerance: 1e-3,
    ours: () => {
      const [x, dy] = [parameter(tensor(values(qkv, 1), qkv)), state(tensor(values(out, 2), out))];
      return () => {
        const y = attentionQkv(x, { heads });
        return [y, ...gradientsOf(y, dy)];
      };
    },
    tfjs: (tf) => {
      const [x, dy] = [tf.tensor(values(qkv, 1), qkv), tf.tensor(values(out, 2), out)];
      const f = (p: Loose) => {
        const [q, k, v] = tf
          .split(p, 3, 2)
          .map((t: Loose) => tf.transpose(tf.reshape(t, [batch, N, heads, D]), [0, 2, 1, 3]));
        const weights = tf.softmax(tf.mul(tf.matMul(q, k, false, true), scale));
        return tf.reshape(tf.transpose(tf.matMul(weights, v), [0, 2, 1, 3]), out);
      };
      return () => {
        const { value, grad } = tf.valueAndGrad(f)(x, dy);
        return [value, grad];
      };
    },
    jax: ({ jit, vjp, nn, numpy: np }) => {
      const parts = np.array(values(qkv, 1)).reshape([batch, N, 3, heads, D]);
      const dy = np.array(values(out, 2)).reshape([batch, N, heads, D]);
      const f = (p: Loose) => {
        const [q, k, v] = [0, 1, 2].map((i) => p.ref.slice([], [], i).transpose([0, 2, 1, 3]));
        const weights = nn.softmax(np.matmul(q, k.transpose([0, 1, 3, 2])).mul(scale), -1);
        return np.matmul(weights, v).transpose([0, 2, 1, 3]);
      };
      const both = jit((p: Loose, d: Loose) => {
        const [y, back] = vjp(f, [p]);
        return [y, ...back(d)];
      });
      return () => both(parts.ref, dy.ref);
    },
    small: () => attend(1, Math.min(N, 33), 2, D),
  };
}

export const bench: Bench = {
  name: 'attention',
  cases: (full) =>
    (full
      ? [
          [256, 65, 3, 64],
          [64, 197, 6, 64],
          [64, 197, 12, 64],
        ]
      : [
          [4, 65, 6, 32],
          [1, 197, 3, 64],
        ]
    ).map(([batch, N, heads, D]) => attend(batch, N, heads, D)),
};
