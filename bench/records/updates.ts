import { ema } from '../../src/ops/ema.js';
import { sgd } from '../../src/ops/sgd.js';
import { state, tensor } from '../../src/tensor/tensor.js';
import type { Bench, Case, Loose } from '../record.js';
import { values } from '../values.js';

const [momentum, weightDecay, lr, m] = [0.9, 1e-4, 0.03, 0.999];

/** w and v are read and written, dw is read. Every library has all parameters in one tensor. */
function momentumSgd(length: number): Case {
  return {
    label: `${(length / 1e6).toFixed(1)} million`,
    bytes: 5 * 4 * length,
    ours: () => {
      const [w, dw, v] = [1, 2, 3].map((seed) => state(tensor(values([length], seed))));
      const rate = state(tensor([lr]));
      return () => {
        sgd(w, dw, v, rate, { momentum, weightDecay });
        return [w, v];
      };
    },
    tfjs: (tf) => {
      const [w, dw, v] = [1, 2, 3].map((seed) => tf.variable(tf.tensor(values([length], seed))));
      return () => {
        v.assign(tf.add(tf.mul(v, momentum), tf.add(dw, tf.mul(w, weightDecay))));
        w.assign(tf.sub(w, tf.mul(v, lr)));
        return [tf.clone(w), tf.clone(v)];
      };
    },
    jax: ({ jit, numpy: np }) => {
      let [w, v] = [1, 3].map((seed) => np.array(values([length], seed)));
      const dw = np.array(values([length], 2));
      const f = jit((a: Loose, g: Loose, b: Loose) => {
        const next = b.mul(momentum).add(g.add(a.ref.mul(weightDecay)));
        return [a.sub(next.ref.mul(lr)), next];
      });
      return () => {
        [w, v] = f(w, dw.ref, v);
        return [w.ref, v.ref];
      };
    },
    small: () => momentumSgd(1003),
  };
}

function momentumUpdate(length: number): Case {
  return {
    label: `${(length / 1e6).toFixed(1)} million`,
    bytes: 3 * 4 * length,
    ours: () => {
      const [k, q] = [1, 2].map((seed) => state(tensor(values([length], seed))));
      const rate = state(tensor([m]));
      return () => {
        ema(k, q, rate);
        return [k];
      };
    },
    tfjs: (tf) => {
      const [k, q] = [1, 2].map((seed) => tf.variable(tf.tensor(values([length], seed))));
      return () => {
        k.assign(tf.add(tf.mul(k, m), tf.mul(q, 1 - m)));
        return [tf.clone(k)];
      };
    },
    jax: ({ jit, numpy: np }) => {
      let k = np.array(values([length], 1));
      const q = np.array(values([length], 2));
      const f = jit((a: Loose, b: Loose) => a.mul(m).add(b.mul(1 - m)));
      return () => {
        k = f(k, q.ref);
        return [k.ref];
      };
    },
    small: () => momentumUpdate(1003),
  };
}

/** Parameters of ResNet-50 without its head; of ResNet-18 on a software adapter. */
const lengths = (full: boolean) => [full ? 23_508_032 : 11_176_512];

export const optimizer: Bench = { name: 'SGD', cases: (full) => lengths(full).map(momentumSgd) };
export const momentumBench: Bench = { name: 'momentum update', cases: (full) => lengths(full).map(momentumUpdate) };
