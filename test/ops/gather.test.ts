import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.js';
import { ones } from '../../src/fill.js';
import { gather } from '../../src/ops/gather.js';
import { tensor } from '../../src/tensor.js';
import { gpu, on } from '../support/devices.js';
import { checkOp, uglySize, uglySizeAtLeast1 } from '../support/op.js';

const cases = fc.record({ rows: uglySizeAtLeast1, M: uglySize, rest: fc.constantFrom([], [1], [7], [3, 5], [0], [4], [3, 8]) });

describe('gather', () => {
  it('GPU = mirror, gradients; an index past the end counts as the last row', () =>
    checkOp(cases, ({ rows, M, rest }) => ({ inputs: [{ shape: [rows, ...rest] }, { shape: [M], dtype: 'u32', values: (r) => r.below(rows + 2) }], f: gather })));

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
      expect(Array.from(await there)).toEqual(Array.from(order).flatMap((n) => values.slice(2 * n, 2 * n + 2)).map((v) => v + shift));
    }
  });

  it('names what does not fit', async () => {
    on(await gpu(), () => {
      const index = tensor([0, 1], [2], 'u32');
      expect(() => gather(ones([0, 3]), index)).toThrow('gather: x must have rows to take; got [0, 3] for 2 indices. Pass an empty index.');
      expect(() => gather(ones([]), index)).toThrow('gather: x must have rows and the index be a list; got [] and [2]');
      expect(() => gather(ones([2, 3]), ones([2]))).toThrow('gather: the tensor must be u32; got f32 [2]');
    });
  });
});
