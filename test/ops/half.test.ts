import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHalf, roundToHalves, toHalf } from '../../src/core/half.js';
import { Rng } from '../../src/core/rng.js';
import { attentionQkv } from '../../src/ops/attention.js';
import { avgPool, globalAvgPool } from '../../src/ops/avg_pool.js';
import { batchNorm } from '../../src/ops/batch_norm.js';
import { add, mul } from '../../src/ops/binary.js';
import { cast } from '../../src/ops/cast.js';
import { conv2d } from '../../src/ops/conv2d.js';
import { crossEntropy } from '../../src/ops/cross_entropy.js';
import { gather } from '../../src/ops/gather.js';
import { l2Normalize } from '../../src/ops/l2_normalize.js';
import { layerNorm } from '../../src/ops/layer_norm.js';
import { matmul } from '../../src/ops/matmul.js';
import { maxPool } from '../../src/ops/max_pool.js';
import { withPrecision } from '../../src/ops/precision.js';
import { sum } from '../../src/ops/reduce.js';
import { reshape } from '../../src/ops/reshape.js';
import { softmax } from '../../src/ops/softmax.js';
import { concat, expand, slice, transpose } from '../../src/ops/strided.js';
import { gelu, relu } from '../../src/ops/unary.js';
import { backward } from '../../src/tensor/autograd.js';
import { full, ones, zeros } from '../../src/tensor/fill.js';
import { parameter, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, hardware, on, reference } from '../support/devices.js';
import { checkHalf } from '../support/half.js';

/** Values, the nearest halves and their bits, by IEEE 754. */
const known: [number, number, number][] = [
  [0, 0, 0],
  [-0, -0, 0x8000],
  [1, 1, 0x3c00],
  [-2, -2, 0xc000],
  [65504, 65504, 0x7bff],
  [65519.99, 65504, 0x7bff],
  [65520, Infinity, 0x7c00],
  [1e30, Infinity, 0x7c00],
  [-1e6, -Infinity, 0xfc00],
  [2 ** -14, 2 ** -14, 0x0400],
  [2 ** -24, 2 ** -24, 1],
  [2 ** -25, 0, 0],
  [2 ** -25 * 1.001, 2 ** -24, 1],
  [3 * 2 ** -25, 2 ** -23, 2],
  [1 + 2 ** -11, 1, 0x3c00],
  [1 + 3 * 2 ** -11, 1 + 2 ** -9, 0x3c02],
  [2 - 2 ** -11, 2, 0x4000],
  [2 ** -14 - 2 ** -25, 2 ** -14, 0x0400],
  [0.1, 0.0999755859375, 0x2e66],
  [NaN, NaN, 0x7e00],
];

describe('halves', () => {
  it('of floats are the nearest, of two the even one', () => {
    for (const [v, nearest, bits] of known) expect([toHalf(v), fromHalf(bits)], `of ${v}`).toEqual([bits, nearest]);
    for (let bits = 0; bits < 65536; bits++)
      if ((bits & 0x7fff) <= 0x7c00 && toHalf(fromHalf(bits)) !== bits)
        throw new Error(`${bits} became ${toHalf(fromHalf(bits))}`);
  });

  it('are written and read on every backend that has them, in any number; others say what they lack', async () => {
    const values = known.map(([v]) => v);
    for (const backend of [reference, await gpu()]) {
      if (!backend.f16) {
        expect(() => on(backend, () => tensor(values, [values.length], 'f16'))).toThrow(
          `f16: the adapter must have shader-f16; got ${backend.name}, which has not. Use f32.`,
        );
        continue;
      }
      for (const length of [0, 1, 3, values.length]) {
        const [made, filled] = on(backend, () => [
          tensor(values.slice(0, length), [length], 'f16').data(),
          full([length], 0.1, 'f16').data(),
        ]);
        expect([...(await made)]).toEqual(known.slice(0, length).map(([, nearest]) => nearest));
        expect([...(await filled)]).toEqual(new Array(length).fill(0.0999755859375));
      }
    }
  });

  it('are rounded on the device as on the host; too large a value becomes infinite, as the guard finds', async () => {
    const rng = new Rng(7);
    const values = Float32Array.from({ length: 999 }, (_, i) => rng.normal() * 2 ** ((i % 30) - 14));
    values.set([65519, 65520, 1e6, -1e30, 1 + 2 ** -11, 1 + 3 * 2 ** -11], 0);
    for (const backend of [reference, await gpu()]) {
      if (!backend.f16) continue;
      const got = await on(backend, () => cast(cast(tensor(values), 'f16'), 'f32').data());
      const want = values.slice();
      roundToHalves(want);
      expect(Float32Array.from(got)).toEqual(want);
    }
  });

  it('become whole numbers and come from them as f32 does', async () => {
    const run = () => [
      cast(cast(tensor([1, 2, 2049], [3], 'u32'), 'f16'), 'i32').data(),
      cast(tensor(Uint8Array.of(0, 7, 255)), 'f16').data(),
    ];
    for (const backend of [reference, await gpu()]) {
      if (!backend.f16) continue;
      const [whole, bytes] = await Promise.all(on(backend, run));
      expect([[...whole], [...bytes]]).toEqual([
        [1, 2, 2048],
        [0, 7, 255],
      ]);
    }
  });
});

const side = fc.constantFrom(1, 2, 3, 5, 7);
const channels = fc.constantFrom(1, 3, 4, 5, 8);
const rows = fc.record({ N: fc.constantFrom(1, 3, 4), C: fc.constantFrom(1, 3, 4, 7, 8, 33) });
const picture = fc.record({ N: fc.constantFrom(1, 2, 3), H: side, W: side, C: channels });
const f16 = 'f16' as const;

describe('operations on halves: GPU = mirror, types and values, gradients too', () => {
  it('conv2d', () =>
    checkHalf(
      fc.record({ x: picture, O: channels, R: fc.constantFrom(1, 3), stride: fc.constantFrom(1, 2) }),
      ({ x: { N, H, W, C }, O, R, stride }) => ({
        inputs: [{ shape: [N, H, W, C], dtype: f16 }, { shape: [O, R, R, C] }],
        f: (x, w) => conv2d(x, w, { stride, padding: R >> 1 }),
      }),
      8,
    ));

  it('matmul', () =>
    checkHalf(
      fc.record({ M: side, N: channels, K: channels, ta: fc.boolean(), tb: fc.boolean() }),
      ({ M, N, K, ta, tb }) => ({
        inputs: [{ shape: ta ? [K, M] : [M, K], dtype: f16 }, { shape: tb ? [N, K] : [K, N] }],
        f: (a, b) => matmul(a, b, { transposeA: ta, transposeB: tb }),
      }),
      8,
    ));

  it('batchNorm by given statistics, with a residual', () =>
    checkHalf(fc.record({ x: picture, residual: fc.boolean() }), ({ x: { N, H, W, C }, residual }) => ({
      inputs: [
        { shape: [2 * N, H, W, C], dtype: f16 },
        { shape: [C] },
        { shape: [C] },
        ...(residual ? [{ shape: [2 * N, H, W, C], dtype: f16 }] : []),
      ],
      f: (x, gamma, beta, other) =>
        batchNorm(x, {
          gamma,
          beta,
          runningMean: zeros([C]),
          runningVar: ones([C]),
          train: false,
          residual: other,
          relu: false,
        }), // rounding alone may put a value on the other side of a relu
    })));

  it('batchNorm over batches', () =>
    checkHalf(
      fc.record({ N: fc.constantFrom(8, 12), L: side, C: channels, splits: fc.constantFrom(1, 2) }),
      ({ N, L, C, splits }) => ({
        inputs: [{ shape: [N, L, C], dtype: f16 }, { shape: [C] }, { shape: [C] }],
        f: (x, gamma, beta) =>
          batchNorm(x, { gamma, beta, runningMean: zeros([C]), runningVar: ones([C]), train: true, splits }),
      }),
    ));

  /** Words of 8 halves, rests of a chunk, several blocks of columns, and residuals in f32, which are read otherwise. */
  it('batchNorm on a graphics card', () =>
    checkHalf(
      fc.record({
        shape: fc.constantFrom([4, 33, 24], [4, 3, 520], [8, 3, 12]),
        splits: fc.constantFrom(1, 2),
        residual: fc.constantFrom('f16', 'f32', undefined),
        train: fc.boolean(),
      }),
      ({ shape, splits, residual, train }) => ({
        inputs: [
          { shape, dtype: f16 },
          { shape: shape.slice(-1) },
          { shape: shape.slice(-1) },
          ...(residual ? [{ shape, dtype: residual }] : []),
        ],
        f: (x, gamma, beta, other) =>
          batchNorm(x, {
            gamma,
            beta,
            runningMean: zeros(shape.slice(-1)),
            runningVar: ones(shape.slice(-1)),
            train,
            splits,
            residual: other,
            relu: false,
          }),
      }),
      6,
      hardware,
    ));

  it('layerNorm and sums on a graphics card', () =>
    checkHalf(
      fc.record({ rows: fc.constantFrom(3, 70, 300), C: fc.constantFrom(12, 24, 520) }),
      ({ rows, C }) => ({
        inputs: [{ shape: [rows, C], dtype: f16 }, { shape: [C] }, { shape: [C] }],
        f: (x, gamma, beta) => add(layerNorm(x, gamma, beta), mul(sum(x, 0, true), 0.125)),
      }),
      6,
      hardware,
    ));

  it('layerNorm', () =>
    checkHalf(rows, ({ N, C }) => ({
      inputs: [{ shape: [N, C + 3], dtype: f16 }, { shape: [C + 3] }, { shape: [C + 3] }],
      f: (x, gamma, beta) => layerNorm(x, gamma, beta),
    })));

  it('relu, gelu and add, with a bias in f32', () =>
    checkHalf(rows, ({ N, C }) => ({
      inputs: [{ shape: [N, C], dtype: f16 }, { shape: [C] }, { shape: [N, 1], dtype: f16 }],
      f: (x, bias, y) => add(gelu(add(x, bias)), mul(relu(x), y)),
    })));

  it('pools', () =>
    checkHalf(picture, ({ N, H, W, C }) => ({
      inputs: [{ shape: [N, H + 1, W + 1, C], dtype: f16 }],
      f: (x) =>
        add(
          add(maxPool(x, { kernel: 2, stride: 1 }), avgPool(x, { kernel: 2, stride: 1 })),
          reshape(globalAvgPool(x), [N, 1, 1, C]),
        ),
    })));

  it('copies', () =>
    checkHalf(fc.record({ N: side, M: fc.constantFrom(3, 4, 8), C: channels }), ({ N, M, C }) => ({
      inputs: [
        { shape: [N, M, C], dtype: f16 },
        { shape: [N, 1, C], dtype: f16 },
        { shape: [M], dtype: 'u32', values: (_, i) => M - 1 - i },
      ],
      f: (x, y, order) => gather(transpose(slice(concat([x, expand(y, [N, M, C])], 1), 1, 1, M + 1), [1, 2, 0]), order),
    })));

  it('attention, softmax, and what is f32 whatever it is made of', () =>
    checkHalf(fc.record({ N: side, D: fc.constantFrom(1, 4) }), ({ N, D }) => ({
      inputs: [
        { shape: [2, N, 6 * D], dtype: f16 },
        { shape: [2 * N], dtype: 'u32', values: (_, i) => i % 2 },
      ],
      f: (x, labels) => {
        const y = reshape(attentionQkv(x, { heads: 2 }), [2 * N, 2 * D]);
        return add(add(sum(softmax(y)), crossEntropy(y, labels)), sum(l2Normalize(y), 1));
      },
    })));
});

describe("withPrecision('f16')", () => {
  it('makes products and what follows them halves, and keeps sums and parameters f32', () =>
    on(reference, () =>
      tidy(() =>
        withPrecision('f16', () => {
          const [x, w] = [tensor(new Float32Array(18), [1, 3, 3, 2]), parameter(ones([4, 1, 1, 2]))];
          const y = relu(conv2d(x, w));
          const features = globalAvgPool(y);
          const z = matmul(features, ones([4, 3]));
          const same = matmul(features, ones([4, 3]), { precision: 'f32' });
          backward(sum(mul(z, z)));
          expect([y, features, z, same, l2Normalize(z), sum(z), w.grad!].map((t) => t.dtype)).toEqual([
            'f16',
            'f32',
            'f16',
            'f32',
            'f32',
            'f32',
            'f32',
          ]);
        }),
      ),
    ));
});
