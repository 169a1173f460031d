import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.js';
import { greater } from '../../src/ops/binary.js';
import { gather } from '../../src/ops/gather.js';
import { sum } from '../../src/ops/reduce.js';
import { where } from '../../src/ops/where.js';
import { backward } from '../../src/tensor/autograd.js';
import { ones, zeros } from '../../src/tensor/fill.js';
import { parameter, tensor } from '../../src/tensor/tensor.js';
import { gpu, on, reference } from '../support/devices.js';
import { checkOp, uglySize, uglySizeAtLeast1 } from '../support/op.js';

const cases = fc.record({
  rows: uglySizeAtLeast1,
  M: uglySize,
  rest: fc.constantFrom([], [1], [7], [3, 5], [0], [4], [3, 8]),
});

describe('gather', () => {
  it('GPU = mirror, gradients', () =>
    checkOp(cases, ({ rows, M, rest }) => ({
      inputs: [{ shape: [rows, ...rest] }, { shape: [M], dtype: 'u32', values: (r) => r.below(rows) }],
      f: gather,
    })));

  it('an index past the last row gives NaN, or set bits, and passes no gradient on', async () => {
    for (const [columns, dtype] of [
      [3, 'f32'],
      [4, 'f32'],
      [8, 'f16'],
      [3, 'i32'],
      [4, 'u32'],
    ] as const)
      for (const device of [await gpu(), reference]) {
        if (!device.f16 && dtype === 'f16') continue;
        const y = await on(device, () =>
          gather(
            tensor(new Float32Array(2 * columns).fill(1), [2, columns], dtype),
            tensor([1, 2, 4294967295], [3], 'u32'),
          ).data(),
        );
        const missing = { f32: NaN, f16: NaN, i32: -1, u32: 4294967295 }[dtype];
        expect(Array.from(y), `${dtype} on ${device.name}`).toEqual(
          Array.from({ length: 3 * columns }, (_, i) => (i < columns ? 1 : missing)),
        );
      }
    for (const device of [await gpu(), reference]) {
      const dx = await on(device, () => {
        const x = parameter(ones([2, 3]));
        const taken = gather(x, tensor([1, 2, 1], [3], 'u32'));
        backward(sum(where(greater(taken, 0), taken, zeros([3, 3]))));
        return x.grad!.data();
      });
      expect(Array.from(dx)).toEqual([0, 0, 0, 2, 2, 2]);
    }
  });

  it('takes an index as numbers, checked', async () => {
    const y = on(reference, () =>
      gather(
        tensor([
          [1, 2],
          [3, 4],
        ]),
        [1, 0, 1],
      ).data(),
    );
    expect(Array.from(await y)).toEqual([3, 4, 1, 2, 3, 4]);
    on(reference, () =>
      expect(() => gather(ones([2, 3]), [0, 2])).toThrow(
        'gather: the index must lie in [0, 1]; got 2 at place 1. Correct it.',
      ),
    );
  });

  it('a permutation, then its inverse, changes nothing', async () => {
    const values = Array.from({ length: 26 }, (_, i) => i - 7);
    const order = new Rng(5).permutation(13);
    const inverse = order.map((_, i) => order.indexOf(i));
    for (const dtype of ['f32', 'i32', 'u32'] as const) {
      const [there, back] = on(await gpu(), () => {
        const x = tensor(dtype === 'u32' ? values.map((v) => v + 7) : values, [13, 2], dtype);
        const shuffled = gather(x, tensor(order));
        return [shuffled.data(), gather(shuffled, tensor(inverse)).data()];
      });
      const shift = dtype === 'u32' ? 7 : 0;
      expect(Array.from(await back)).toEqual(values.map((v) => v + shift));
      expect(Array.from(await there)).toEqual(
        Array.from(order)
          .flatMap((n) => values.slice(2 * n, 2 * n + 2))
          .map((v) => v + shift),
      );
    }
  });

  it('names what does not fit', async () => {
    on(await gpu(), () => {
      const index = tensor([0, 1], [2], 'u32');
      expect(() => gather(ones([0, 3]), index)).toThrow(
        'gather: x must have rows to take; got [0, 3] for 2 indices. Pass an empty index.',
      );
      expect(() => gather(ones([]), index)).toThrow('gather: x must have rows and the index be a list; got [] and [2]');
      expect(() => gather(ones([2, 3]), ones([2]))).toThrow('gather: the tensor must be u32; got f32 [2]');
    });
  });
});
