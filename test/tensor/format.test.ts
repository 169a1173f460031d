import { describe, expect, it } from 'vitest';
import { formatValues } from '../../src/tensor/format.js';
import { matmul } from '../../src/ops/matmul.js';
import { parameter, tensor } from '../../src/tensor/tensor.js';
import { gpu, on } from '../support/devices.js';

describe('tensors as text', () => {
  it('columns align, and numbers keep five digits', () => {
    expect(formatValues(Float32Array.of(1.5, -2, 3, 1 / 3), [2, 2])).toBe('[[    1.5,      -2],\n [      3, 0.33333]]');
  });

  it('scalars, empty tensors, what is huge, tiny or no number', () => {
    expect(formatValues(Float32Array.of(7), [])).toBe('7');
    expect(formatValues(new Float32Array(0), [2, 0])).toBe('[[],\n []]');
    expect(formatValues(Float32Array.of(2e9, 1e-7, Number.NaN), [3])).toBe('[2.000e+9, 1.000e-7,      NaN]');
  });

  it('long axes are cut in the middle', () => {
    expect(formatValues(Uint8Array.from({ length: 100 }, (_, i) => i), [100])).toBe('[ 0,  1,  2, …, 97, 98, 99]');
  });

  it('says what a tensor is and where it comes from', async () => {
    const device = await gpu();
    const [w, y] = on(device, () => {
      const w = parameter(tensor([1, 2], [1, 2]));
      return [w, matmul(tensor([3], [1, 1]), w)];
    });
    expect(String(w)).toBe(`Tensor [1, 2] f32 on ${device.name}, parameter`);
    expect(await y.text()).toBe(`Tensor [1, 2] f32 on ${device.name}, from matmul\n[[3, 6]]`);
  });
});
