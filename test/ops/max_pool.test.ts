import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxPool } from '../../src/ops/max_pool.js';
import { sum } from '../../src/ops/reduce.js';
import { backward } from '../../src/tensor/autograd.js';
import { full, ones } from '../../src/tensor/fill.js';
import { parameter, tensor } from '../../src/tensor/tensor.js';
import { gpu, on } from '../support/devices.js';
import { checkOp } from '../support/op.js';
import { poolings } from '../support/poolings.js';

describe('max pool', () => {
  // Distinct values 0.1 apart or more, shuffled: a difference quotient never changes the winner.
  it('GPU = mirror, gradients', () =>
    checkOp(
      poolings,
      ({ shape, options }) => ({
        inputs: [{ shape, values: (r, i) => ((i * 7919) % 10007) * 0.1 + 0.01 * r.uniform() - 300 }],
        f: (x) => maxPool(x, options),
      }),
      {},
      40,
    ));

  it('the pool of a ResNet', () =>
    checkOp(
      fc.constantFrom(3, 8),
      (C) => ({
        inputs: [{ shape: [2, 12, 12, C], values: (_, i) => ((i * 7919) % 10007) * 0.01 }],
        f: (x) => maxPool(x, { kernel: 3, stride: 2, padding: 1 }),
      }),
      {},
      2,
    ));

  it('a constant stays, and padding never wins, however low the values', async () => {
    const y = await on(await gpu(), () =>
      maxPool(full([2, 5, 4, 3], -1e38), { kernel: 3, stride: 2, padding: 1 }).data(),
    );
    expect(new Set(y)).toEqual(new Set([Math.fround(-1e38)]));
    expect(y.length).toBe(2 * 3 * 2 * 3);
  });

  it('gradient goes to the first of equals, and adds up where windows overlap', async () => {
    const [tied, overlap] = on(await gpu(), () => {
      const grad = (values: number[], shape: number[], kernel: [number, number], stride: number) => {
        const x = parameter(tensor(values, shape));
        backward(sum(maxPool(x, { kernel, stride })));
        return x.grad!.data();
      };
      return [grad([1, 5, 5, 5], [1, 2, 2, 1], [2, 2], 2), grad([1, 2, 9, 3, 4], [1, 1, 5, 1], [1, 3], 1)];
    });
    expect(Array.from(await tied)).toEqual([0, 1, 0, 0]);
    expect(Array.from(await overlap)).toEqual([0, 0, 3, 0, 0]);
  });

  it('names what does not fit', async () => {
    on(await gpu(), () => {
      const x = ones([1, 3, 5, 2]);
      expect(() => maxPool(x, { kernel: 4 })).toThrow(
        'maxPool: the window must fit into the padded picture; got x [1, 3, 5, 2], kernel [4, ' +
          '4] and padding [0, 0]. Pad more or use a smaller window.',
      );
      expect(() => maxPool(x, { kernel: 3, padding: 2 })).toThrow(
        'maxPool: padding must be half the window at most; got padding [2, 2] and kernel [3, 3]. Pad less.',
      );
      expect(() => maxPool(x, { kernel: 2, stride: 0 })).toThrow(
        'maxPool: stride must be a whole number or two, at least 1; got 0',
      );
      expect(() => maxPool(ones([3, 3]), { kernel: 2 })).toThrow('maxPool: x must be [N, H, W, C]; got [3, 3]');
    });
  });
});
