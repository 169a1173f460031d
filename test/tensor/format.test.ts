import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { onShapes } from '../../src/backend/shapes.js';
import { formatValues } from '../../src/core/format.js';
import { matmul } from '../../src/ops/matmul.js';
import { parameter, type Tensor, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference } from '../support/devices.js';

const floats = (...values: number[]) => Float32Array.from(values);

describe('values as text, as PyTorch prints them', () => {
  it('columns align, with four digits, as whole numbers or with exponents', () => {
    expect(formatValues(floats(1.5, -2, 3, 1 / 3), [2, 2])).toBe('[[ 1.5000, -2.0000],\n [ 3.0000,  0.3333]]');
    expect(formatValues(floats(1, -20, 300), [3])).toBe('[  1., -20., 300.]');
    expect(formatValues(floats(2e9, 1e-7, Number.NaN), [3])).toBe('[2.0000e+09, 1.0000e-07,        NaN]');
    expect(formatValues(Int32Array.of(1, -20), [2])).toBe('[  1, -20]');
  });

  it('scalars, empty tensors, what is no number, and matrices with a line between', () => {
    expect(formatValues(floats(7), [])).toBe('7.');
    expect(formatValues(floats(), [2, 0])).toBe('[[],\n []]');
    expect(formatValues(floats(Infinity, 0.5), [2])).toBe('[Infinity,   0.5000]');
    expect(formatValues(floats(1, 2, 3, 4), [2, 1, 2])).toBe('[[[1., 2.]],\n\n [[3., 4.]]]');
  });

  it('long rows take several lines, and of more than 1000 values the middle is cut', () => {
    const rows = formatValues(
      Uint8Array.from({ length: 40 }, (_, i) => i),
      [40],
    ).split('\n');
    expect(rows.map((row) => row.length <= 80)).toEqual([true, true, true]);
    expect(rows[1]).toBe(' 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37,');
    expect(
      formatValues(
        Uint32Array.from({ length: 2000 }, (_, i) => i),
        [2000],
      ),
    ).toBe('[   0,    1,    2, …, 1997, 1998, 1999]');
    expect(
      formatValues(
        Uint32Array.from({ length: 1400 }, (_, i) => i),
        [200, 7],
      ).split('\n')[3],
    ).toBe(' …,');
  });
});

describe('a tensor as text', () => {
  it('on a GPU says what it is, where it comes from and how to read it', async () => {
    const device = await gpu();
    const [w, y] = on(device, () => {
      const w = parameter(tensor([1, 2], [1, 2]));
      return [w, matmul(tensor([3], [1, 1]), w)];
    });
    expect(String(w)).toBe(`Tensor [1, 2] f32 on ${device.name}, parameter. Its values: await text()`);
    expect(await y.text()).toBe(`Tensor [1, 2] f32 on ${device.name}, from matmul\n[[3., 6.]]`);
  });

  it('on the reference backend has the values at once; console.log shows the same', () => {
    const x = on(reference, () =>
      tensor([
        [1, 2],
        [3, 4],
      ]),
    );
    expect(String(x)).toBe('Tensor [2, 2] f32 on reference (f32)\n[[1., 2.],\n [3., 4.]]');
    expect(inspect(x)).toBe(String(x));
  });

  it('does not fail where memory is recycled or there are no values', () => {
    let gone!: Tensor;
    on(reference, () => tidy(() => void (gone = tensor([1, 2]))));
    expect(String(gone)).toBe('Tensor [2] f32 on reference (f32). Its memory is recycled');
    expect(onShapes(() => String(tensor([1])))).toBe('Tensor [1] f32 on shapes. Its values: await text()');
  });
});

describe('values in and out', () => {
  it('array() gives nested lists, or a number', async () => {
    const made = on(reference, () => [
      tensor([
        [1, 2],
        [3, 4],
      ]),
      tensor(5),
      tensor([], [2, 0]),
    ]);
    expect(await Promise.all(made.map((t) => t.array()))).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
      5,
      [[], []],
    ]);
  });

  it('tensor() takes shape and type by name', () =>
    on(reference, () => {
      expect(tensor([1, 2, 3, 4], { shape: [2, 2], dtype: 'u32' })).toMatchObject({ shape: [2, 2], dtype: 'u32' });
      expect(tensor([[1, 2]], { dtype: 'i32' })).toMatchObject({ shape: [1, 2], dtype: 'i32' });
      expect(() => tensor([1], { type: 'u32' } as object)).toThrow(
        'tensor: options must be among shape, dtype; got the unknown option type',
      );
    }));
});
