import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { arrayTypes, type DType } from '../../src/core/dtype.js';
import { Rng } from '../../src/core/rng.js';
import { cast } from '../../src/ops/cast.js';
import { tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference } from '../support/devices.js';

type Source = Exclude<DType, 'f16'>; // halves are cast in half.test.ts
type Target = Exclude<Source, 'u8'>;

/** Values that every target can hold, or, between whole numbers, any bits at all. */
const draws: Record<Source, (rng: Rng, to: Target) => number> = {
  f32: (rng, to) => (to === 'u32' ? rng.uniform(0, 2e6) : rng.uniform(-2e6, 2e6)),
  i32: (rng) => rng.bits() | 0,
  u32: (rng) => rng.bits(),
  u8: (rng) => rng.below(256),
};

const lengths = fc.constantFrom(0, 1, 2, 3, 4, 5, 7, 13, 63, 64, 65, 127, 129, 257, 1023);
const cases = fc.record({
  length: lengths,
  from: fc.constantFrom<Source>('f32', 'i32', 'u32', 'u8'),
  to: fc.constantFrom<Target>('f32', 'i32', 'u32'),
  seed: fc.nat(0xffff),
});

const through = (backend: Backend, values: ArrayLike<number>, from: DType, to: Target) =>
  on(backend, () =>
    tidy(() => {
      const y = cast(tensor(Array.from(values), [values.length], from), to);
      expect([y.dtype, y.shape]).toEqual([to, [values.length]]);
      return y.data();
    }),
  );

describe('cast', () => {
  it('GPU = mirror = JavaScript’s own typed arrays, bit for bit', async () => {
    const device = await gpu();
    await fc.assert(
      fc.asyncProperty(cases, async ({ length, from, to, seed }) => {
        const rng = new Rng(seed, 'cast');
        const values = Array.from({ length }, () => draws[from](rng, to)).map((v) =>
          from === 'f32' ? Math.fround(v) : v,
        );
        const want = arrayTypes[to].from(values.map((v) => (to === 'f32' ? v : Math.trunc(v))));
        expect(await through(reference, values, from, to)).toEqual(want);
        const got = await through(device, values, from, to);
        // WGSL lets an integer that f32 cannot hold go to either neighbour; SwiftShader makes u32 3022028424
        // 3022028288, not ..544 (only u32 from 2^31 on)
        if (to === 'f32')
          got.forEach(
            (v, i) =>
              (got[i] =
                Math.abs(values[i]) > 2 ** 24 && Math.abs(v - values[i]) <= Math.abs(values[i]) * 2 ** -23
                  ? want[i]
                  : v),
          );
        expect(got).toEqual(want);
      }),
      { numRuns: 100 },
    );
  });

  it.each([1, 2, 3, 5, 6, 7, 4099])('%i bytes: every one is read, of whole words or not', async (length) => {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + 201) & 255);
    expect(await through(await gpu(), bytes, 'u8', 'f32')).toEqual(Float32Array.from(bytes));
    expect(await through(await gpu(), bytes, 'u8', 'i32')).toEqual(Int32Array.from(bytes));
  });

  it('drops fractions towards zero', async () => {
    const values = [0.99, -0.99, 1.5, -1.5, 2.9999998, -7, 0, 16777216];
    for (const backend of [await gpu(), reference])
      expect(Array.from(await through(backend, values, 'f32', 'i32'))).toEqual([0, 0, 1, -1, 2, -7, 0, 16777216]);
  });

  it.each<[Target, number[]]>([
    ['i32', [2147483520, -2147483648, 2147483520, -2147483648, 2147483520]],
    ['u32', [3e9, 0, 4294967040, 0, 4294967040]],
  ])('to %s floats out of range become the nearest in it', async (to, want) => {
    const values = [3e9, -3e9, 1e20, -Infinity, Infinity];
    for (const backend of [await gpu(), reference])
      expect(Array.from(await through(backend, values, 'f32', to))).toEqual(want);
  });

  it('to the same type it is the tensor itself, and a cast to u8 is refused', async () => {
    on(await gpu(), () => {
      const x = tensor([1, 2, 3]);
      expect(cast(x, 'f32')).toBe(x);
      expect(() => cast(x, 'u8' as Target)).toThrow(
        'cast: the dtype must not be u8, which is storage for pictures and only read; got u8',
      );
    });
  });
});
