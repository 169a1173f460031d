import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add } from '../../src/ops/binary.js';
import { ema } from '../../src/ops/ema.js';
import { tensor } from '../../src/tensor/tensor.js';
import { gpu, on } from '../support/devices.js';
import { checkOp } from '../support/op.js';

const lengths = fc.constantFrom(0, 1, 2, 3, 5, 63, 64, 65, 191, 192, 255, 256, 257, 511, 513, 1025);

describe('ema', () => {
  it('GPU = mirror', () =>
    checkOp(
      fc.record({ length: lengths, m: fc.constantFrom(0, 0.5, 0.99, 0.999, 1) }),
      ({ length, m }) => ({
        inputs: [{ shape: [length] }, { shape: [length] }, { shape: [1], values: () => m }],
        f: (theta_k, theta_q, m) => {
          const target = add(theta_k, 0);
          ema(target, theta_q, m);
          return target;
        },
      }),
      { gradient: false },
    ));

  it('equals steps worked out by hand, with another m each', async () => {
    const y = on(await gpu(), () => {
      const target = tensor([1, -2, 8]);
      ema(target, tensor([3, 2, 0]), tensor([0.5])); // 2, 0, 4
      ema(target, tensor([6, 4, 4]), tensor([0.75])); // 3, 1, 4
      return target.data();
    });
    expect(Array.from(await y)).toEqual([3, 1, 4]);
  });

  it('m = 1 keeps every bit, m = 0 copies every bit', async () => {
    const values = Float32Array.from({ length: 300 }, (_, i) => Math.fround(Math.sin(i)));
    const other = values.map((v) => Math.fround(v * 1e3));
    const y = on(await gpu(), () =>
      [1, 0].map((m) => {
        const target = tensor(values);
        ema(target, tensor(other), tensor([m]));
        return target.data();
      }),
    );
    expect(await Promise.all(y)).toEqual([values, other]);
  });

  it('names the shapes that do not fit', async () => {
    on(await gpu(), () => {
      expect(() => ema(tensor([1, 2]), tensor([1]), tensor([0]))).toThrow('ema: source must have shape [2]; got [1]');
      expect(() => ema(tensor([1]), tensor([1]), tensor([0, 1]))).toThrow('ema: m must have one element; got [2]');
    });
  });
});
