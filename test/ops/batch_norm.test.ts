import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.js';
import { numel } from '../../src/core/shape.js';
import { batchNorm } from '../../src/ops/batch_norm.js';
import { add } from '../../src/ops/binary.js';
import { sum } from '../../src/ops/reduce.js';
import { relu as separateRelu } from '../../src/ops/unary.js';
import { backward, zeroGrad } from '../../src/tensor/autograd.js';
import { ones, zeros } from '../../src/tensor/fill.js';
import { parameter, tensor } from '../../src/tensor/tensor.js';
import { gpu, hardware, on, reference64 } from '../support/devices.js';
import { assertClose, checkOp } from '../support/op.js';

/** At least 4 rows a split: the gradient of two or three values that happen to be close is all cancellation. */
const sizes = fc
  .record({
    perSplit: fc.integer({ min: 1, max: 5 }),
    splits: fc.constantFrom(1, 2, 4),
    middle: fc.constantFrom([], [1], [3, 3], [2, 5], [7]),
    C: fc.constantFrom(0, 1, 2, 3, 4, 5, 8, 12, 17),
    affine: fc.boolean(),
    train: fc.boolean(),
    relu: fc.boolean(),
    residual: fc.boolean(),
  })
  .filter((c) => c.perSplit * numel(c.middle) >= 4);

const state = (C: number) => ({
  runningMean: tensor(
    Float32Array.from({ length: C }, (_, c) => 0.1 * c),
    [C],
  ),
  runningVar: tensor(
    Float32Array.from({ length: C }, (_, c) => 0.5 + 0.1 * c),
    [C],
  ),
});
const normal = (shape: number[], seed = 1) => {
  const r = new Rng(seed);
  return Array.from({ length: numel(shape) }, () => r.normal());
};
const read = async (...tensors: { data(): Promise<ArrayLike<number>> }[]) =>
  Promise.all(tensors.map(async (t) => Array.from(await t.data())));

/** Channels and rows that fill no workgroup of a graphics card: several blocks of columns, several chunks, one row. */
const onCards = fc
  .record({
    shape: fc.constantFrom([8, 2, 4], [4, 55, 96], [4, 3, 272], [200, 8]),
    splits: fc.constantFrom(1, 2),
    affine: fc.boolean(),
    train: fc.boolean(),
    residual: fc.boolean(),
  })
  .filter(({ shape, splits }) => numel(shape.slice(0, -1)) / splits >= 4);

const devices = [
  ['here', gpu],
  ['on a graphics card', hardware],
] as const;

describe('batch norm', () => {
  it('train and eval, splits, affine, residual: GPU = mirror, gradients', () =>
    checkOp(
      sizes,
      ({ perSplit, splits, middle, C, affine, train, residual }) => {
        const shape = [perSplit * splits, ...middle, C];
        return {
          inputs: [{ shape }, ...(affine ? [{ shape: [C] }, { shape: [C] }] : []), ...(residual ? [{ shape }] : [])],
          f: (x, ...rest) =>
            batchNorm(x, {
              ...state(C),
              train,
              splits,
              relu: false,
              eps: 1e-3,
              ...(affine ? { gamma: rest.shift(), beta: rest.shift() } : {}),
              residual: rest.shift(),
            }),
        };
      },
      {},
      40,
    ));

  it('on a graphics card: GPU = mirror, gradients', () =>
    checkOp(
      onCards,
      ({ shape, splits, affine, train, residual }) => {
        const C = shape.at(-1)!;
        return {
          inputs: [{ shape }, ...(affine ? [{ shape: [C] }, { shape: [C] }] : []), ...(residual ? [{ shape }] : [])],
          f: (x, ...rest) =>
            batchNorm(x, {
              ...state(C),
              train,
              splits,
              relu: false,
              eps: 1e-3,
              ...(affine ? { gamma: rest.shift(), beta: rest.shift() } : {}),
              residual: rest.shift(),
            }),
        };
      },
      { hardware: true },
      10,
    ));

  // x̂ is near ±1 and beta small, so with a residual of -0.2, 0 or 0.2 nothing comes near the bend of the relu.
  it('with relu: GPU = mirror, gradients', () =>
    checkOp(
      sizes,
      ({ perSplit, splits, middle, C, affine, train, residual }) => {
        const [shape, L] = [[perSplit * splits, ...middle, C], numel(middle)];
        const inSplit = (i: number) => Math.floor(i / (L * C * splits)) * L + (Math.floor(i / C) % L);
        const values = (r: Rng, i: number) => (inSplit(i) % 2 === 0 ? 1 : -1) * r.uniform(1, 1.2);
        const near = (centre: number) => (r: Rng) => r.uniform(centre - 0.1, centre + 0.1);
        return {
          inputs: [
            { shape, values },
            ...(affine
              ? [
                  { shape: [C], values: near(1) },
                  { shape: [C], values: near(0) },
                ]
              : []),
            ...(residual ? [{ shape, values: (r: Rng) => 0.2 * (r.below(3) - 1) }] : []),
          ],
          f: (x, ...rest) =>
            batchNorm(x, {
              runningMean: zeros([C]),
              runningVar: ones([C]),
              train,
              splits,
              ...(affine ? { gamma: rest.shift(), beta: rest.shift() } : {}),
              ...(residual ? { residual: rest.shift() } : { relu: true }),
            }),
        };
      },
      {},
      40,
    ));

  it('long columns are merged in two stages and stay exact enough', () =>
    checkOp(
      fc.constantFrom([4, 150, 3], [2, 400, 4]),
      (shape) => ({ inputs: [{ shape }], f: (x) => batchNorm(x, { ...state(shape[2]), train: true, splits: 2 }) }),
      {},
      3,
    ));

  it('running statistics follow torch: unbiased variance, averaged over splits', async () => {
    // x[:, 0] = 1 2 3 10 in splits {1, 3} and {2, 10}: means 2 and 6, unbiased variances 2 and 32
    for (const [splits, mean, variance] of [
      [2, 4, 17],
      [1, 4, 50 / 3],
    ])
      for (const device of [await gpu(), reference64]) {
        const [m, v, same] = await on(device, () => {
          const s = { runningMean: tensor([1]), runningVar: tensor([3]) };
          const x = tensor([1, 2, 3, 10], [4, 1]);
          batchNorm(x, { ...s, train: true, splits, momentum: 0.25 });
          const before = { ...s };
          batchNorm(x, { ...s, train: false });
          return read(s.runningMean, s.runningVar, before.runningMean);
        });
        assertClose('running mean', m, [0.75 * 1 + 0.25 * mean]);
        assertClose('running var', v, [0.75 * 3 + 0.25 * variance]);
        expect(same).toEqual(m);
      }
  });

  it.each(devices)('running statistics %s = mirror', async (_, open) => {
    const both = await Promise.all(
      [await open(), reference64].map((device) =>
        on(device, () => {
          const s = state(12);
          batchNorm(tensor(normal([8, 9, 12]), [8, 9, 12]), { ...s, train: true, splits: 4 });
          return read(s.runningMean, s.runningVar);
        }),
      ),
    );
    both[0].forEach((got, i) => assertClose(`running ${i}`, got, both[1][i]));
  });

  it('S splits are S batch norms over x[s::S], with mean 0 and variance 1 each', async () => {
    const [N, L, C, S] = [8, 6, 5, 4];
    const values = normal([N, L, C]);
    const whole = await on(await gpu(), () =>
      batchNorm(tensor(values, [N, L, C]), { ...state(C), train: true, splits: S, eps: 0 }).data(),
    );
    for (let s = 0; s < S; s++) {
      const pick = (v: ArrayLike<number>) => Array.from(v).filter((_, i) => Math.floor(i / (L * C)) % S === s);
      const part = await on(await gpu(), () =>
        batchNorm(tensor(pick(values), [N / S, L, C]), { ...state(C), train: true, eps: 0 }).data(),
      );
      assertClose('split', pick(whole), part, { relative: 1e-6 });
      for (let c = 0; c < C; c++) {
        const column = pick(whole).filter((_, i) => i % C === c);
        assertClose(
          'mean, variance',
          [column.reduce((a, v) => a + v, 0), column.reduce((a, v) => a + v * v, 0)].map((v) => v / column.length),
          [0, 1],
          { relative: 1e-5 },
        );
      }
    }
  });

  it('samples may come in any order', async () => {
    const [N, D] = [7, 12];
    const order = new Rng(3).permutation(N);
    const values = normal([N, D]);
    const moved = Array.from(order).flatMap((n) => values.slice(n * D, (n + 1) * D));
    const f = async (v: number[]) =>
      Array.from(await on(await gpu(), () => batchNorm(tensor(v, [N, 3, 4]), { ...state(4), train: true }).data()));
    const y = await f(values);
    assertClose(
      'permuted',
      await f(moved),
      Array.from(order).flatMap((n) => y.slice(n * D, (n + 1) * D)),
    );
  });

  it.each(devices)('stays accurate far from 0 %s', async (_, open) => {
    for (const offset of [1e3, -1e4]) {
      const values = normal([16, 65, 4]).map((v) => Math.fround(v + offset));
      const [got, want] = await Promise.all(
        [await open(), reference64].map((device) =>
          on(device, () => {
            const s = state(4);
            const y = batchNorm(tensor(values, [16, 65, 4]), { ...s, train: true, momentum: 1 });
            return read(y, s.runningVar);
          }),
        ),
      );
      // the mean is rounded to f32: ±2^-24 of it
      assertClose('y', got[0], want[0], { relative: 0, absolute: 2 ** -22 * Math.abs(offset) });
      assertClose('variance', got[1], want[1], { relative: 1e-5 });
    }
  });

  it.each(devices)('an outlier first in its chunk, and constant channels %s', async (_, open) => {
    const values = [1e4, 1e4, 1e4, 1e4, ...normal([1596])];
    const [got, want] = await Promise.all(
      [await open(), reference64].map((device) =>
        on(device, () => read(batchNorm(tensor(values, [400, 4]), { ...state(4), train: true }))),
      ),
    );
    assertClose('outlier', got[0], want[0]);
    expect(
      await on(await open(), () =>
        read(batchNorm(tensor(new Float32Array(40).fill(1234.567), [10, 4]), { ...state(4), train: true })),
      ),
    ).toEqual([new Array(40).fill(0)]);
  });

  it.each(devices)('fused addition and relu equal the separate operations %s, gradients too', async (_, open) => {
    const shape = [6, 3, 8];
    const f = async (fused: boolean) =>
      on(await open(), () => {
        const [x, residual, gamma, beta] = [
          parameter(tensor(normal(shape), shape)),
          parameter(tensor(normal(shape, 2), shape)),
          parameter(tensor(normal([8], 3))),
          parameter(tensor(normal([8], 4))),
        ];
        const o = { ...state(8), gamma, beta, train: true, splits: 2 };
        const y = fused ? batchNorm(x, { ...o, residual }) : separateRelu(add(batchNorm(x, o), residual));
        backward(sum(y));
        return read(y, x.grad!, residual.grad!, gamma.grad!, beta.grad!);
      });
    const [fused, separate] = [await f(true), await f(false)];
    fused.forEach((t, i) => assertClose(`tensor ${i}`, t, separate[i], { relative: 1e-6 }));
  });

  it('writes parameter gradients into offered memory, with either parameter frozen', async () => {
    const shape = [6, 4];
    for (const frozen of ['', 'gamma', 'beta', 'x']) {
      const [first, second] = await on(await gpu(), () => {
        const maybe = (name: string, t: ReturnType<typeof tensor>) => (name === frozen ? t : parameter(t));
        const p = {
          x: maybe('x', tensor(normal(shape), shape)),
          gamma: maybe('gamma', tensor(normal([4], 3))),
          beta: maybe('beta', tensor(normal([4], 4))),
        };
        const once = () => {
          zeroGrad(Object.values(p));
          backward(sum(batchNorm(p.x, { ...state(4), gamma: p.gamma, beta: p.beta, train: true, relu: true })));
          return read(
            ...Object.values(p)
              .filter((t) => t.grad)
              .map((t) => t.grad!),
          );
        };
        return [once(), once()];
      });
      expect(await second).toEqual(await first);
      expect((await first).length).toBe(frozen ? 2 : 3);
    }
  });

  it('names what does not fit', async () => {
    on(await gpu(), () => {
      const x = tensor(new Float32Array(18), [6, 3]);
      const o = { ...state(3), train: true };
      expect(() => batchNorm(x, { ...o, splits: 4 })).toThrow(
        'batchNorm: the batch must divide evenly among the splits; got 6 samples and 4 splits. ' +
          'Choose a batch size that is a multiple of 4',
      );
      expect(() => batchNorm(x, { ...o, splits: 6 })).toThrow(
        'batchNorm: a split must have two values a channel to have a variance; got x [6, 3] and 6 splits. ' +
          'Use a larger batch or fewer splits.',
      );
      expect(() => batchNorm(x, { ...o, gamma: ones([3]) })).toThrow(
        'batchNorm: gamma and beta must come together; got only gamma',
      );
      expect(() => batchNorm(x, { ...o, gamma: ones([3]), beta: ones([4]) })).toThrow(
        'batchNorm: beta must have shape [3]; got [4]',
      );
      expect(() => batchNorm(x, { ...o, residual: ones([3]) })).toThrow(
        'batchNorm: residual must have shape [6, 3]; got [3]',
      );
      expect(() => batchNorm(ones([3]), o)).toThrow('batchNorm: x must be [N, ..., C]; got [3]');
      expect(batchNorm(x, { ...o, train: false, splits: 4 }).shape).toEqual([6, 3]); // splits are a matter of training
    });
  });
});
