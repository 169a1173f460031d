import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { restore } from '../../src/ops/restore.js';
import { zeros } from '../../src/tensor/fill.js';
import { tensor } from '../../src/tensor/tensor.js';
import { gpu, on, reference } from '../support/devices.js';

const cases = fc.record({
  length: fc.constantFrom(0, 1, 3, 4, 64, 257, 1028, 4099),
  guard: fc.constantFrom(0, 2 ** -32, 1, 4),
});

describe('restore', () => {
  it('gives back every bit where the guard is 0, and is as if it were not there elsewhere', async () => {
    const device = await gpu();
    await fc.assert(
      fc.asyncProperty(cases, async ({ length, guard }) => {
        const [kept, now] = [(i: number) => (i % 2 ? -0 : i / 7), (i: number) => [NaN, Infinity, i, -0][i % 4]].map(
          (f) => Float32Array.from({ length }, (_, i) => f(i)),
        );
        for (const backend of [device, reference]) {
          const state = on(backend, () => {
            const state = tensor(now);
            restore(state, tensor(kept), tensor([guard]));
            return state.data();
          });
          expect(await state).toEqual(guard === 0 ? kept : now);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('names the shapes that do not fit', () =>
    on(reference, () => {
      expect(() => restore(zeros([3]), zeros([4]), zeros([1]))).toThrow(
        'restore: the saved values must have shape [3]; got [4]',
      );
      expect(() => restore(zeros([3]), zeros([3]), zeros([2]))).toThrow(
        'restore: the guard must have one element; got [2]',
      );
      expect(() => restore(zeros([3]), zeros([3], 'u32'), zeros([1]))).toThrow('must be f32');
    }));
});
