import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { argmax, max, mean, sum, variance } from '../../src/ops/reduce.js';
import { tensor } from '../../src/tensor/tensor.js';
import { gpu, on } from '../support/devices.js';
import { checkOp, uglySize, uglySizeAtLeast1 } from '../support/op.js';

const reduction = (size: fc.Arbitrary<number>, maxLength = 4) =>
  fc
    .array(size, { minLength: 1, maxLength })
    .filter((s) => s.reduce((n, d) => n * d, 1) < 5000)
    .chain((shape) =>
      fc.record({
        shape: fc.constant(shape),
        axes: fc.uniqueArray(fc.integer({ min: 0, max: shape.length - 1 })),
        keepDims: fc.boolean(),
      }),
    );

describe('reduce', () => {
  it('sum: GPU = mirror, gradients', () =>
    checkOp(reduction(uglySize), ({ shape, axes, keepDims }) => ({
      inputs: [{ shape }],
      f: (x) => sum(x, axes, keepDims),
    })));

  it.each([
    ['mean', mean],
    ['max', max],
    ['variance', variance],
  ] as const)('%s: GPU = mirror, gradients', (_, f) =>
    checkOp(reduction(uglySizeAtLeast1), ({ shape, axes, keepDims }) => ({
      inputs: [{ shape }],
      f: (x) => f(x, axes, keepDims),
    })),
  );

  it('long reductions are split and stay exact enough', () =>
    checkOp(
      fc.constantFrom([129], [4099], [1, 1000, 3], [3, 1000, 1]),
      (shape) => ({ inputs: [{ shape }], f: (x) => sum(x) }),
      {},
      4,
    ));

  it.each([false, true])(
    'large inputs, with columns in fours and not, over every axis; as on a graphics card: %s',
    (hardware) =>
      checkOp(
        fc.record({
          shape: fc.constantFrom([700, 36], [700, 35], [9, 2052], [2, 9216], [3, 300, 48], [6, 1030, 4], [2, 515, 3]),
          axis: fc.nat(1),
          f: fc.constantFrom(sum, max),
        }),
        ({ shape, axis, f }) => ({ inputs: [{ shape }], f: (x) => f(x, axis) }),
        { hardware },
        12,
      ),
  );

  it('argmax: GPU = mirror', () =>
    checkOp(
      reduction(uglySizeAtLeast1).map((r) => ({ ...r, axis: r.axes[0] ?? -1 })),
      ({ shape, axis }) => ({ inputs: [{ shape }], f: (x) => argmax(x, axis) }),
      { gradient: false },
    ));

  it('argmax takes the first of equals', async () => {
    const y = on(await gpu(), () => argmax(tensor([1, 3, 3, 2]), 0).data());
    expect(Array.from(await y)).toEqual([1]);
  });
});
