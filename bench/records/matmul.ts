import { cast } from '../../src/ops/cast.js';
import { linear } from '../../src/ops/linear.js';
import { matmul } from '../../src/ops/matmul.js';
import { state, type Tensor, tensor } from '../../src/tensor/tensor.js';
import type { Bench, Case } from '../record.js';
import { values } from '../values.js';

interface Sizes {
  M: number;
  N: number;
  K: number;
  tA?: boolean;
  tB?: boolean;
  what?: string;
  /** A row is added to the result. */
  bias?: boolean;
  /** Factors and result are halves, where the adapter has them; the peers compute in f32. */
  half?: boolean;
}

export function product({ M, N, K, tA = false, tB = false, what, bias = false, half = false }: Sizes): Case {
  const [a, b] = [tA ? [K, M] : [M, K], tB ? [N, K] : [K, N]];
  return {
    label:
      `${M}×${K} · ${K}×${N}${tA ? ', aᵀ' : ''}${tB ? ', bᵀ' : ''}${bias ? ', + bias' : ''}` +
      `${what ? ` (${what})` : ''}${half ? ', f16' : ''}`,
    tolerance: half ? 4e-3 : undefined,
    flops: 2 * M * N * K,
    ours: () => {
      const stored = (t: Tensor) => state(half ? cast(t, 'f16') : t);
      const [x, y] = [stored(tensor(values(a, 1), a)), stored(tensor(values(b, 2), b))];
      const row = state(tensor(values([N], 3)));
      return () => [
        bias ? linear(x, y, row) : matmul(x, y, { transposeA: tA, transposeB: tB, precision: half ? 'f16' : 'f32' }),
      ];
    },
    tfjs: (tf) => {
      const [x, y] = [tf.tensor(values(a, 1), a), tf.tensor(values(b, 2), b)];
      const row = tf.tensor(values([N], 3), [N]);
      return () => [bias ? tf.add(tf.matMul(x, y, tA, tB), row) : tf.matMul(x, y, tA, tB)];
    },
    jax: ({ jit, numpy: np }) => {
      const [x, y] = [np.array(values(a, 1)).reshape(a), np.array(values(b, 2)).reshape(b)];
      const f = jit((p: typeof x, q: typeof x) => np.matmul(tA ? np.transpose(p) : p, tB ? np.transpose(q) : q));
      const row = np.array(values([N], 3));
      const g = jit((p: typeof x, q: typeof x, r: typeof x) => np.matmul(p, np.transpose(q)).add(r));
      return () => [bias ? g(x.ref, y.ref, row.ref) : f(x.ref, y.ref)];
    },
    small: () => product({ M: Math.min(M, 200), N: Math.min(N, 200), K: Math.min(K, 700), tA, tB, bias, half }),
  };
}

const square = (n: number): Sizes => ({ M: n, N: n, K: n });
const transposes = (s: Sizes): Sizes[] => [s, { ...s, tB: true }, { ...s, tA: true }];

/** Products of a ViT-S/16 at 224 (197 tokens of 384) and of ResNet-50's 1×1 convolutions and head, for N pictures. */
const ofModels = (n: number): Sizes[] => [
  { M: n * 197, N: 1152, K: 384, tB: true, what: 'ViT-S qkv' },
  { M: n * 197, N: 1536, K: 384, tB: true, what: 'ViT-S mlp' },
  { M: n * 197, N: 384, K: 1536, tB: true, what: 'ViT-S mlp' },
  { M: 1536, N: 384, K: n * 197, tA: true, what: 'ViT-S mlp, dW' },
  { M: n * 3136, N: 256, K: 64, tB: true, what: 'ResNet-50 1×1' },
  { M: n * 49, N: 2048, K: 512, tB: true, what: 'ResNet-50 1×1' },
  { M: 256, N: 128, K: 2048, tB: true, what: 'head' },
  { M: 256, N: 128, K: 2048, tB: true, bias: true, what: 'head' },
];

export const bench: Bench = {
  name: 'matmul',
  goal: { faster: 1.5 },
  leavesOut: 'squares of more than 512, two orders of 512, and one layer of a ViT-S',
  cases: (full) => {
    const squares = full
      ? [256, 512, 1024, 2048, 4096].flatMap((n) => transposes(square(n)))
      : [...transposes(square(256)), square(512)];
    const halves = full ? [1024, 2048, 4096].flatMap((n) => transposes({ ...square(n), half: true })) : [];
    const models = ofModels(full ? 64 : 1).filter(({ N }) => full || N !== 1536);
    const modelHalves = full ? models.filter(({ bias }) => !bias).map((s) => ({ ...s, half: true })) : [];
    return [...squares, ...halves, ...models, ...modelHalves].map(product);
  },
};
