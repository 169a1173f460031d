import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { arrayTypes, type DType } from '../../src/core/dtype.js';
import type { Shape } from '../../src/core/shape.js';
import { full, ones, scalar, zeros } from '../../src/tensor/fill.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference } from '../support/devices.js';

const read = (backend: Backend, make: () => Tensor) => on(backend, () => tidy(() => make().data()));

type Words = Exclude<DType, 'f16'>; // halves are filled in ops/half.test.ts

const valuesOf: Record<Words, number[]> = {
  f32: [0, 1, -1, 0.1, -3.25e-20, 3e38, Infinity, -Infinity, NaN],
  i32: [0, 1, -1, 123456789, -(2 ** 31), 2 ** 31 - 1],
  u32: [0, 1, 2 ** 31, 2 ** 32 - 1],
  u8: [0, 1, 128, 255],
};
const cases = fc.constantFrom<Words>('f32', 'i32', 'u32', 'u8').chain((dtype) =>
  fc.record({
    dtype: fc.constant(dtype),
    value: fc.constantFrom(...valuesOf[dtype]),
    shape: fc.array(fc.constantFrom(0, 1, 2, 3, 5, 7, 13, 17), { maxLength: 3 }),
  }),
);

describe('full', () => {
  it('GPU = mirror = an array of the value, for every type and shape', async () => {
    const device = await gpu();
    await fc.assert(
      fc.asyncProperty(cases, async ({ dtype, value, shape }) => {
        const length = shape.reduce<number>((n, d) => n * d, 1);
        const want = arrayTypes[dtype].from(new Array<number>(length).fill(value));
        for (const backend of [device, reference])
          expect(await read(backend, () => full(shape, value, dtype))).toEqual(want);
      }),
      { numRuns: 100 },
    );
  });

  it.each([1, 2, 3, 5, 255, 256, 257, 1021])('%i bytes are all filled', async (length) => {
    for (const backend of [await gpu(), reference])
      expect(await read(backend, () => full([length], 200, 'u8'))).toEqual(new Uint8Array(length).fill(200));
  });

  it('fills memory that held something else, to its last element', async () => {
    const device = await gpu();
    on(device, () => tidy(() => void full([1001], 7)));
    expect(await read(device, () => zeros([1001]))).toEqual(new Float32Array(1001));
  });

  it('more workgroups than one dimension holds', async () => {
    const length = 65535 * 64 + 65;
    const y = await read(await gpu(), () => full([length], 3, 'u32'));
    expect(y.length).toBe(length);
    expect(Array.from(y).every((v) => v === 3)).toBe(true);
  });

  it('zeros, ones and scalar have their shapes and types', async () => {
    const device = await gpu();
    const made = on(device, () => [zeros([2, 3], 'u32'), ones([2]), scalar(4), scalar(-4, 'i32')]);
    expect(made.map((t) => [t.shape, t.dtype])).toEqual([
      [[2, 3], 'u32'],
      [[2], 'f32'],
      [[], 'f32'],
      [[], 'i32'],
    ]);
    expect((await Promise.all(made.map((t) => t.data()))).map((v) => Array.from(v))).toEqual([
      [0, 0, 0, 0, 0, 0],
      [1, 1],
      [4],
      [-4],
    ]);
  });

  it.each<[Shape, string]>([
    [[-1], 'full: sizes must be whole numbers, at least 0; got [-1]'],
    [[1.5, 2], 'got [1.5, 2]'],
    [[1, 1, 1, 1, 1, 1, 1], 'full: a tensor must have at most 6 axes'],
  ])('refuses %j', (shape, sentence) => {
    expect(() => on(reference, () => full(shape, 0))).toThrow(sentence);
  });
});
