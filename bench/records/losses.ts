import { crossEntropy } from '../../src/ops/cross_entropy.js';
import { infoNce } from '../../src/ops/info_nce.js';
import { backward } from '../../src/tensor/autograd.js';
import { parameter, state, tensor } from '../../src/tensor/tensor.js';
import type { Bench, Case, Loose } from '../record.js';
import { labels, values } from '../values.js';

/** Loss and gradient of the logits. */
function softmaxCrossEntropy(N: number, C: number): Case {
  return {
    label: `${N}×${C}`,
    bytes: 4 * 4 * N * C,
    ours: () => {
      const [z, l] = [parameter(tensor(values([N, C]), [N, C])), state(tensor(labels(N, C)))];
      return () => {
        const loss = crossEntropy(z, l);
        z.grad = undefined;
        backward(loss);
        return [loss, z.grad!];
      };
    },
    tfjs: (tf) => {
      const [z, l] = [
        tf.tensor(values([N, C]), [N, C]),
        tf.cast(tf.oneHot(tf.tensor1d(Int32Array.from(labels(N, C)), 'int32'), C), 'float32'),
      ];
      return () => {
        const { value, grad } = tf.valueAndGrad((x: Loose) => tf.losses.softmaxCrossEntropy(l, x))(z);
        return [value, grad];
      };
    },
    jax: ({ jit, valueAndGrad, nn, numpy: np }) => {
      const [z, l] = [
        np.array(values([N, C])).reshape([N, C]),
        nn.oneHot(np.array(Int32Array.from(labels(N, C)), { dtype: np.int32 }), C),
      ];
      const f = jit(valueAndGrad((x: Loose, y: Loose) => np.sum(nn.logSoftmax(x, 1).mul(y)).mul(-1 / N)));
      return () => f(z.ref, l.ref);
    },
    small: () => softmaxCrossEntropy(Math.min(N, 17), C),
  };
}

/** MoCo's loss of N queries against K keys, and the gradient of the queries: two products of N × K × D. */
export function contrast(N: number, D: number, K: number): Case {
  const T = 0.2;
  const scaled = (shape: number[], seed: number) => values(shape, seed).map((v) => v * Math.sqrt(3 / D));
  return {
    label: `N ${N}, D ${D}, K ${K}`,
    flops: 4 * N * K * D,
    ours: () => {
      const [q, k, queue] = [
        parameter(tensor(scaled([N, D], 1), [N, D])),
        state(tensor(scaled([N, D], 2), [N, D])),
        state(tensor(scaled([K, D], 3), [K, D])),
      ];
      return () => {
        const { loss } = infoNce(q, k, queue, T);
        q.grad = undefined;
        backward(loss);
        return [loss, q.grad!];
      };
    },
    tfjs: (tf) => {
      const [q, k, queue] = [
        tf.tensor(scaled([N, D], 1), [N, D]),
        tf.tensor(scaled([N, D], 2), [N, D]),
        tf.tensor(scaled([K, D], 3), [K, D]),
      ];
      const f = (x: Loose) => {
        const positive = tf.sum(tf.mul(x, k), 1, true);
        const logits = tf.div(tf.concat([positive, tf.matMul(x, queue, false, true)], 1), T);
        return tf.mean(tf.sub(tf.logSumExp(logits, 1), tf.div(tf.reshape(positive, [N]), T)));
      };
      return () => {
        const { value, grad } = tf.valueAndGrad(f)(q);
        return [value, grad];
      };
    },
    jax: ({ jit, valueAndGrad, nn, numpy: np }) => {
      const [q, k, queue] = [
        [1, N],
        [2, N],
        [3, K],
      ].map(([seed, rows]) => np.array(scaled([rows, D], seed)).reshape([rows, D]));
      const f = (x: Loose, p: Loose, negatives: Loose) => {
        const positive = np.sum(x.ref.mul(p), 1, { keepdims: true });
        const logits = np.concatenate([positive.ref, np.matmul(x, np.transpose(negatives))], 1).mul(1 / T);
        return np.mean(nn.logsumexp(logits, 1).sub(positive.reshape([N]).mul(1 / T)));
      };
      const both = jit(valueAndGrad(f));
      return () => both(q.ref, k.ref, queue.ref);
    },
    small: () => contrast(Math.min(N, 19), D, Math.min(K, 333)),
  };
}

export const softmax: Bench = {
  name: 'softmax cross-entropy',
  cases: (full) =>
    (full
      ? [
          [256, 1000],
          [4096, 1000],
          [256, 65536],
        ]
      : [
          [256, 10],
          [256, 1000],
        ]
    ).map(([N, C]) => softmaxCrossEntropy(N, C)),
};
export const infoNceBench: Bench = {
  name: 'InfoNCE',
  leavesOut: 'a queue of 65536',
  cases: (full) => (full ? [4096, 65536] : [4096]).map((K) => contrast(full ? 256 : 32, 128, K)),
};
