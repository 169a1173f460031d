import { resnet } from '../../src/nn/resnet.js';
import { adamw } from '../../src/ops/adamw.js';
import { lars, larsTable } from '../../src/ops/lars.js';
import { state, tensor } from '../../src/tensor/tensor.js';
import type { Bench, Case, Loose } from '../record.js';
import { values } from '../values.js';

const [weightDecay, rate, b1, b2, eps] = [0.1, 0.01, 0.9, 0.999, 1e-8];
const zeros = (length: number) => state(tensor(new Float32Array(length)));
const millions = (length: number) => `${(length / 1e6).toFixed(1)} million`;

/** w, m and v are read and written, dw is read. The peers write the formula out, for all parameters in one tensor. */
function adam(length: number): Case {
  return {
    label: millions(length),
    bytes: 7 * 4 * length,
    before: 1,
    ours: () => {
      const [w, dw] = [1, 2].map((seed) => state(tensor(values([length], seed))));
      const [m, v, corrections, lr] = [zeros(length), zeros(length), zeros(2), state(tensor([rate]))];
      return () => {
        adamw(w, dw, { m, v, corrections }, lr, { weightDecay });
        return [w];
      };
    },
    tfjs: (tf) => {
      const [w, dw] = [1, 2].map((seed) => tf.variable(tf.tensor(values([length], seed))));
      const [m, v] = [0, 1].map(() => tf.variable(tf.zeros([length])));
      let t = 0;
      return () => {
        t++;
        m.assign(tf.add(tf.mul(m, b1), tf.mul(dw, 1 - b1)));
        v.assign(tf.add(tf.mul(v, b2), tf.mul(tf.square(dw), 1 - b2)));
        const step = tf.div(tf.div(m, 1 - b1 ** t), tf.add(tf.sqrt(tf.div(v, 1 - b2 ** t)), eps));
        w.assign(tf.sub(tf.mul(w, 1 - rate * weightDecay), tf.mul(step, rate)));
        return [tf.clone(w)];
      };
    },
    jax: ({ jit, numpy: np }) => {
      const dw = np.array(values([length], 2));
      let s = [np.array(values([length], 1)), np.zeros([length]), np.zeros([length]), np.array([1]), np.array([1])];
      const f = jit((w: Loose, m: Loose, v: Loose, p1: Loose, p2: Loose, g: Loose) => {
        const [n1, n2] = [p1.mul(b1), p2.mul(b2)]; // b1^t, b2^t
        const [nm, nv] = [m.mul(b1).add(g.ref.mul(1 - b1)), v.mul(b2).add(np.square(g).mul(1 - b2))];
        const unbiased = (x: Loose, p: Loose) => x.ref.div(p.ref.mul(-1).add(1));
        const step = unbiased(nm, n1).div(np.sqrt(unbiased(nv, n2)).add(eps));
        return [w.mul(1 - rate * weightDecay).sub(step.mul(rate)), nm, nv, n1, n2];
      });
      return () => {
        s = f(...s, dw.ref);
        return [s[0].ref];
      };
    },
    small: () => adam(1003),
  };
}

/** w is read twice, dw twice and v once, w and v are written. Each tensor of the model has its own trust ratio. */
function larsUpdate(name: string, length: number): Case {
  return {
    label: name,
    bytes: 7 * 4 * length,
    ours: () => {
      const parts: { start: number; length: number; adapted: boolean }[] = [];
      let end = 0;
      for (const p of resnet(name, { stem: name === 'resnet-tiny' ? 'cifar' : 'imagenet' })
        .parameters()
        .values()) {
        parts.push({ start: end, length: p.size, adapted: p.rank > 1 });
        end += Math.ceil(p.size / 64) * 64;
      }
      const [whole, grads] = [1, 2].map((seed) => values([end], seed));
      for (const { start, length: n } of parts)
        for (const x of [whole, grads]) x.fill(0, start + n, Math.ceil((start + n) / 64) * 64);
      const [w, dw, v, lr] = [state(tensor(whole)), state(tensor(grads)), zeros(end), state(tensor([rate]))];
      const { chunks, ranges } = larsTable(parts);
      const table = { chunks: state(chunks), ranges: state(ranges) };
      return () => {
        lars(w, dw, v, table, lr, { momentum: 0.9, weightDecay: 1e-6 });
        return [w];
      };
    },
    small: () => larsUpdate('resnet-tiny', 0),
  };
}

/** Parameters of ResNet-50 without its head; half of ResNet-18's on a software adapter. */
export const adamBench: Bench = { name: 'AdamW', cases: (full) => [adam(full ? 23_508_032 : 5_588_256)] };
const why = 'has no LARS';
export const larsBench: Bench = {
  name: 'LARS',
  lacks: { tfjs: `tfjs ${why}`, jax: `jax-js ${why}` },
  cases: (full) => [full ? larsUpdate('resnet50', 25_557_032) : larsUpdate('resnet18', 11_689_512)],
};
