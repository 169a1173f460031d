import { batchNorm } from '../../src/ops/batch_norm.js';
import { parameter, state, tensor } from '../../src/tensor/tensor.js';
import { gradientsOf } from '../gradients.js';
import type { Bench, Case, Loose } from '../record.js';
import { values } from '../values.js';

/**
 * Batch norm and relu of a training step, forward and backward: x is read 3 times, dy twice, y once; y and dx are
 * written.
 */
function batchNormRelu(shape: number[]): Case {
  const C = shape[3];
  return {
    label: shape.join('×'),
    bytes: 8 * 4 * shape.reduce((a, b) => a * b),
    tolerance: 1e-3,
    ours: () => {
      const [x, gamma, beta] = [
        [1, shape],
        [2, [C]],
        [3, [C]],
      ].map(([seed, s]) => parameter(tensor(values(s as number[], seed as number), s as number[])));
      const dy = state(tensor(values(shape, 4), shape));
      const [runningMean, runningVar] = [5, 6].map((seed) => state(tensor(values([C], seed))));
      return () => {
        const y = batchNorm(x, { gamma, beta, runningMean, runningVar, train: true, relu: true });
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
        const { mean, variance } = tf.moments(p, [0, 1, 2]);
        return tf.relu(tf.batchNorm(p, mean, variance, b, g, 1e-5));
      };
      return () => {
        const { value, grads } = tf.valueAndGrads(f)([x, gamma, beta], dy);
        return [value, ...grads];
      };
    },
    jax: ({ jit, vjp, nn, numpy: np }) => {
      const [x, gamma, beta, dy] = [
        np.array(values(shape, 1)).reshape(shape),
        np.array(values([C], 2)),
        np.array(values([C], 3)),
        np.array(values(shape, 4)).reshape(shape),
      ];
      const f = (p: Loose, g: Loose, b: Loose) => {
        const mean = np.mean(p.ref, [0, 1, 2], { keepdims: true });
        const centred = p.sub(mean);
        const variance = np.mean(np.square(centred.ref), [0, 1, 2], { keepdims: true });
        return nn.relu(
          centred
            .div(np.sqrt(variance.add(1e-5)))
            .mul(g)
            .add(b),
        );
      };
      const both = jit((p: Loose, g: Loose, b: Loose, d: Loose) => {
        const [y, back] = vjp(f, [p, g, b]);
        return [y, ...back(d)];
      });
      return () => both(x.ref, gamma.ref, beta.ref, dy.ref);
    },
    small: () => batchNormRelu([2, 5, 7, C]),
  };
}

export const bench: Bench = {
  name: 'batch norm + relu',
  leavesOut: 'pictures of 56²',
  cases: (full) =>
    [[32, 32, 64], [8, 8, 256], [4, 4, 512], ...(full ? [[56, 56, 256]] : [])].map((s) =>
      batchNormRelu([full ? 128 : 4, ...s]),
    ),
};
