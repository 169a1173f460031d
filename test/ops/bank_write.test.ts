import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.js';
import { bankWrite } from '../../src/ops/bank_write.js';
import { zeros } from '../../src/tensor/fill.js';
import { tensor } from '../../src/tensor/tensor.js';
import { gpu, on, reference } from '../support/devices.js';
import { uglySize, uglySizeAtLeast1 } from '../support/op.js';

const cases = fc.record({
  M: uglySizeAtLeast1,
  D: uglySize,
  part: fc.double({ min: 0, max: 1, noNaN: true }),
  seed: fc.nat(1000),
});

describe('bankWrite', () => {
  it('GPU and mirror put every row in its place, leave the others, and drop what lies past the end', async () => {
    const device = await gpu();
    await fc.assert(
      fc.asyncProperty(cases, async ({ M, D, part, seed }) => {
        // two rows that the bank lacks
        const index = new Rng(seed).permutation(M + 2).slice(0, Math.round(part * (M + 2)));
        const rows = Float32Array.from({ length: index.length * D }, (_, i) => i + 1);
        const want = new Float32Array(M * D);
        index.forEach((row, n) => row < M && want.set(rows.subarray(n * D, (n + 1) * D), row * D));
        for (const backend of [device, reference]) {
          const bank = on(backend, () => {
            const bank = zeros([M, D]);
            bankWrite(bank, tensor(rows, [index.length, D]), tensor(index));
            return bank.data();
          });
          expect(await bank).toEqual(want);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('writes nothing where the guard is 0', async () => {
    for (const backend of [reference, await gpu()]) {
      const bank = on(backend, () => {
        const bank = zeros([3, 1]);
        bankWrite(bank, tensor([NaN, 1], [2, 1]), tensor([0, 1], [2], 'u32'), zeros([1]));
        bankWrite(bank, tensor([2], [1, 1]), tensor([2], [1], 'u32'), tensor([0.5]));
        return bank.data();
      });
      expect([...(await bank)]).toEqual([0, 0, 2]);
    }
  });

  it('names the shapes that do not fit', () =>
    on(reference, () => {
      expect(() => bankWrite(zeros([4, 3]), zeros([2, 2]), zeros([2], 'u32'))).toThrow('got [4, 3] and [2, 2]');
      expect(() => bankWrite(zeros([4, 3]), zeros([2, 3]), zeros([3], 'u32'))).toThrow(
        'the index must have shape [2]; got [3]',
      );
      expect(() => bankWrite(zeros([4, 3]), zeros([2, 3]), zeros([2]))).toThrow('must be u32');
    }));
});
