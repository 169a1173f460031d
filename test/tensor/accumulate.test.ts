import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.js';
import { accumulate, copyInto } from '../../src/tensor/accumulate.js';
import { tensor, view } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference } from '../support/devices.js';

const lengths = fc.constantFrom(0, 1, 2, 3, 5, 31, 63, 64, 65, 127, 128, 129, 1023, 4099);
const numbers = (seed: number, stream: string, length: number) => {
  const rng = new Rng(seed, stream);
  return Float32Array.from({ length }, () => rng.normal());
};

describe('accumulate and copyInto', () => {
  it('GPU = mirror = the rounded sum, any number of times, and x stays as it is', async () => {
    const device = await gpu();
    await fc.assert(
      fc.asyncProperty(lengths, fc.nat(0xffff), fc.integer({ min: 1, max: 3 }), async (length, seed, times) => {
        const [a, b] = [numbers(seed, 'a', length), numbers(seed, 'b', length)];
        const want = a.slice();
        for (let t = 0; t < times; t++) for (let i = 0; i < length; i++) want[i] += b[i];
        for (const backend of [device, reference]) {
          const [into, x, copy] = await Promise.all(
            on(backend, () =>
              tidy(() => {
                const [into, x, copy] = [tensor(a), tensor(b), tensor(a)];
                for (let t = 0; t < times; t++) accumulate(into, x);
                copyInto(copy, x);
                return [into, x, copy].map((t) => t.data());
              }),
            ),
          );
          expect(into).toEqual(want);
          expect(x).toEqual(b);
          expect(copy).toEqual(b);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('into a part, or out of one, touches nothing else', async () => {
    const values = numbers(1, 'whole', 200);
    for (const backend of [await gpu(), reference]) {
      const [whole, taken] = await Promise.all(
        on(backend, () =>
          tidy(() => {
            const [whole, taken] = [tensor(values), tensor([5, 5, 5])];
            accumulate(view(whole, [3], 64), tensor([1, 2, 3]));
            copyInto(view(whole, [2], 128), tensor([7, 8]));
            copyInto(taken, view(whole, [3], 64));
            return [whole.data(), taken.data()];
          }),
        ),
      );
      const want = values.slice();
      [1, 2, 3].forEach((v, i) => (want[64 + i] += v));
      want.set([7, 8], 128);
      expect(whole).toEqual(want);
      expect(taken).toEqual(want.slice(64, 67));
    }
  });

  it('copies infinities and NaN', async () => {
    const values = Float32Array.of(Infinity, -Infinity, NaN, -0, 3e38);
    const [copied, doubled] = await Promise.all(
      on(await gpu(), () =>
        tidy(() => {
          const [copied, doubled] = [tensor([1, 1, 1, 1, 1]), tensor(values)];
          copyInto(copied, tensor(values));
          accumulate(doubled, tensor(values));
          return [copied.data(), doubled.data()];
        }),
      ),
    );
    expect(copied).toEqual(values);
    expect(Array.from(doubled)).toEqual([Infinity, -Infinity, NaN, -0, Infinity]);
  });
});
