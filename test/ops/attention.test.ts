import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { GpuBackend } from '../../src/backend/gpu.js';
import { Rng } from '../../src/core/rng.js';
import { attention, attentionQkv } from '../../src/ops/attention.js';
import { attentionUnfused } from '../../src/ops/attention_unfused.js';
import { mul } from '../../src/ops/binary.js';
import { sum } from '../../src/ops/reduce.js';
import { slice } from '../../src/ops/strided.js';
import { backward } from '../../src/tensor/autograd.js';
import { zeros } from '../../src/tensor/fill.js';
import { parameter, type Tensor, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference64 } from '../support/devices.js';
import { assertClose, checkOp } from '../support/op.js';

/** Lavapipe's compiler takes long for a head, minutes for a wide one: the first pass over the tests tries them all. */
declare const TEST_RUNS: number;
const large =
  TEST_RUNS >= 1
    ? [
        [2, 65, 3, 32],
        [1, 197, 2, 64],
        [1, 130, 1, 24],
      ]
    : [[2, 65, 3, 8]];

const sequence = fc.constantFrom(1, 2, 3, 4, 5, 8, 17, 33);
const sizes = fc.record({
  batch: fc.constantFrom(0, 1, 2, 3),
  heads: fc.constantFrom(1, 2, 3),
  D: fc.constantFrom(...(TEST_RUNS >= 1 ? [1, 5, 8, 16] : [5, 8])),
  Nq: fc.oneof(sequence, fc.constant(0)),
  Nk: sequence,
});

const normal = (seed: number, shape: number[], scale = 1) => {
  const rng = new Rng(seed, 'attention');
  return tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => scale * rng.normal()),
    shape,
  );
};

/** y and the gradients of Σ y w for every input, w fixed. */
async function outcome(
  f: (...x: Tensor[]) => Tensor,
  inputs: () => Tensor[],
  backend: Backend | Promise<Backend> = gpu(),
): Promise<Float32Array[]> {
  const values = on(await backend, () =>
    tidy(() => {
      const x = inputs().map(parameter);
      const y = f(...x);
      backward(sum(mul(y, normal(9, [...y.shape]))));
      return [y, ...x.map((t) => t.grad!)].map((t) => t.data());
    }),
  );
  return (await Promise.all(values)) as Float32Array[];
}

const parts = (qkv: Tensor, f: (q: Tensor, k: Tensor, v: Tensor) => Tensor): Tensor => {
  const width = qkv.shape[2] / 3;
  return f(slice(qkv, 2, 0, width), slice(qkv, 2, width, 2 * width), slice(qkv, 2, 2 * width, 3 * width));
};

describe('attention', () => {
  it('of two sequences: GPU = mirror, gradients', () =>
    checkOp(
      sizes,
      ({ batch, heads, D, Nq, Nk }) => ({
        inputs: [
          { shape: [batch, Nq, heads * D] },
          { shape: [batch, Nk, heads * D] },
          { shape: [batch, Nk, heads * D] },
        ],
        f: (q, k, v) => attention(q, k, v, { heads, scale: 0.7 }),
      }),
      {},
      20,
    ));

  it('of a sequence to itself: GPU = mirror, gradients', () =>
    checkOp(
      sizes,
      ({ batch, heads, D, Nk }) => ({
        inputs: [{ shape: [batch, Nk, 3 * heads * D] }],
        f: (x) => attentionQkv(x, { heads }),
      }),
      {},
      15,
    ));

  it.each(large)('equals products and a softmax: batch %i, N %i, %i heads of %i', async (batch, N, heads, D) => {
    const inputs = () => [normal(N, [batch, N, 3 * heads * D])];
    const want = await outcome((x) => parts(x, (q, k, v) => attentionUnfused(q, k, v, { heads })), inputs);
    const got = await outcome((x) => attentionQkv(x, { heads }), inputs);
    want.forEach((w, i) => assertClose(['y', 'dqkv'][i], got[i], w));
  });

  // Less than a tile, several with a rest; heads wider than the 32 that a round of threads stores. Small tiles compile
  // faster.
  it.each([[2, 3, 3, 8, 7], [1, 70, 2, 8, 7], ...(TEST_RUNS >= 1 ? [[1, 37, 1, 36, 13]] : [])])(
    'from tiles in workgroup memory: batch %i, N %i, %i heads of %i, %i KiB',
    async (batch, N, heads, D, memory) => {
      const { gpu: g } = await gpu();
      const traits = { ...g.traits, software: false, workgroupMemory: memory * 1024 };
      const inputs = [
        () => [normal(N, [batch, N, 3 * heads * D])],
        () => [1, 2, 3].map((i) => normal(i, [batch, i === 1 ? N : N + 2, heads * D])),
      ];
      for (const make of inputs) {
        const f = (q: Tensor, k?: Tensor, v?: Tensor) =>
          k ? attention(q, k, v!, { heads }) : attentionQkv(q, { heads });
        const want = await outcome(f, make, reference64);
        const got = await outcome(f, make, new GpuBackend({ ...g, traits }));
        want.forEach((w, i) => assertClose(`${i}`, got[i], w));
      }
    },
  );

  it('another order of keys changes nothing; another order of queries is the order of the results', async () => {
    const [N, width] = [37, 24];
    const p = new Rng(3, 'order').permutation(N);
    const turn = (x: Float32Array) =>
      Float32Array.from({ length: x.length }, (_, i) => x[p[Math.floor(i / width)] * width + (i % width)]);
    const values = await Promise.all(
      on(await gpu(), () => [1, 2, 3].map((seed) => normal(seed, [1, N, width]).data() as Promise<Float32Array>)),
    );
    const run = async (turned: boolean[]) =>
      outcome(
        (q, k, v) => attention(q, k, v, { heads: 3 }),
        () => values.map((x, i) => tensor(turned[i] ? turn(x) : x, [1, N, width])),
      );
    const plain = await run([false, false, false]);
    assertClose('keys', (await run([false, true, true]))[0], plain[0]);
    assertClose('queries', (await run([true, false, false]))[0], turn(plain[0]));
    assertClose('dk', (await run([false, true, true]))[2], turn(plain[2]));
  });

  it('large scores stay finite: all weight on the largest, as an average of equals', async () => {
    const [y, dq, dk, dv] = await outcome(
      (q, k, v) => attention(q, k, v, { scale: 1 }),
      () => [
        tensor([100, 0, 0, 0], [1, 1, 4]),
        tensor([90, 1, 1, 1, -90, 1, 1, 1, 90, 2, 2, 2, 80, 0, 0, 0, 0, 0, 0, 0], [1, 5, 4]),
        normal(2, [1, 5, 4]),
      ],
    );
    const v = await on(await gpu(), () => normal(2, [1, 5, 4]).data());
    assertClose(
      'y',
      y,
      [0, 1, 2, 3].map((d) => (v[d] + v[8 + d]) / 2),
    );
    for (const g of [dq, dk, dv]) expect(Array.from(g).every(Number.isFinite)).toBe(true);
  });

  it('gives the same bits again', async () => {
    const run = async () =>
      outcome(
        (x) => attentionQkv(x, { heads: 2 }),
        () => [normal(5, [2, 50, 48])],
      );
    expect(await run()).toEqual(await run());
  });

  it('names what does not fit', async () => {
    on(await gpu(), () => {
      expect(() => attentionQkv(zeros([2, 5, 25]), { heads: 2 })).toThrow(
        'attentionQkv: x must be [batch, N, 3 · heads · D]; got [2, 5, 25] for 2 heads. ' +
          'Choose heads that divide the width.',
      );
      expect(() => attention(zeros([2, 5, 8]), zeros([2, 0, 8]), zeros([2, 0, 8]))).toThrow(
        'attention: there must be a key to attend to; got k [2, 0, 8]',
      );
      expect(() => attention(zeros([2, 5, 8]), zeros([2, 4, 8]), zeros([2, 5, 8]))).toThrow(
        'attention: v must have shape [2, 4, 8]; got [2, 5, 8]',
      );
    });
  });
});
