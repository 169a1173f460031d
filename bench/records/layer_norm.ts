import { layerNorm } from '../../src/ops/layer_norm.js';
import { parameter, state, tensor } from '../../src/tensor/tensor.js';
import { gradientsOf } from '../gradients.js';
import type { Bench, Case, Loose } from '../record.js';
import { values } from '../values.js';

/** Layer norm of a training step, forward and backward: x is read 3 times, dy twice; y and dx are written. */
function layer(rows: number, C: number): Case {
  const shape = [rows, C];
  return {
    label: `${rows}×${C}`,
    bytes: 7 * 4 * rows * C,
    tolerance: 1e-3,
    ours: () => {
      const x = parameter(tensor(values(shape, 1), shape));
      const [gamma, beta] = [2, 3].map((seed) => parameter(tensor(values([C], seed))));
      const dy = state(tensor(values(shape, 4), shape));
      return () => {
        const y = layerNorm(x, gamma, beta);
        return [y, ...gradientsOf(y, dy)];
      };
    },
    tfjs: (tf) => {
      const [x, gamma, beta, dy] = [
        tf.tensor(values(shape, 1), shape),
        tf.tensor(values([C], 2)),
        tf.tensor(values([C], 3)),
        tf.tensor(values(shape, 4), shape),
      ];
      const f = (p: Loose, g: Loose, b: Loose) => {
        const { mean, variance } = tf.moments(p, 1, true);
        return tf.add(tf.mul(tf.mul(tf.sub(p, mean), tf.rsqrt(tf.add(variance, 1e-6))), g), b);
      };
      return () => {
        const { value, grads } = tf.valueAndGrads(f)([x, gamma, beta], dy);
        return [value, ...grads];
      };
    },
    jax: ({ jit, vjp, numpy: np }) => {
      const [x, gamma, beta, dy] = [
        np.array(values(shape, 1)).reshape(shape),
        np.array(values([C], 2)),
        np.array(values([C], 3)),
        np.array(values(shape, 4)).reshape(shape),
      ];
      const f = (p: Loose, g: Loose, b: Loose) => {
        const centred = p.ref.sub(np.mean(p, 1, { keepdims: true }));
        const variance = np.mean(np.square(centred.ref), 1, { keepdims: true });
        return centred
          .div(np.sqrt(variance.add(1e-6)))
          .mul(g)
          .add(b);
      };
      const both = jit((p: Loose, g: Loose, b: Loose, d: Loose) => {
        const [y, back] = vjp(f, [p, g, b]);
        return [y, ...back(d)];
      });
      return () => both(x.ref, gamma.ref, beta.ref, dy.ref);
    },
    small: () => layer(Math.min(rows, 37), C),
  };
}

export const bench: Bench = {
  name: 'layer norm',
  cases: (full) =>
    (full
      ? [
          [64 * 197, 384],
          [64 * 197, 768],
        ]
      : [[4 * 197, 384]]
    ).map(([rows, C]) => layer(rows, C)),
};
