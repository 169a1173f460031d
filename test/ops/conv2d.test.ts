import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conv2d } from '../../src/ops/conv2d.js';
import { tensor } from '../../src/tensor/tensor.js';
import { gpu, on } from '../support/devices.js';
import { checkOp } from '../support/op.js';

const convolution = (channels: fc.Arbitrary<number>, outputs: fc.Arbitrary<number>) =>
  fc
    .record({
      N: fc.integer({ min: 0, max: 3 }),
      H: fc.integer({ min: 1, max: 9 }),
      W: fc.integer({ min: 1, max: 9 }),
      Cg: channels,
      Og: outputs,
      groups: fc.integer({ min: 1, max: 3 }),
      R: fc.integer({ min: 1, max: 4 }),
      S: fc.integer({ min: 1, max: 4 }),
      stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      padding: fc.tuple(fc.nat(2), fc.nat(2)),
      dilation: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
    })
    .filter(
      (c) => c.H + 2 * c.padding[0] > c.dilation[0] * (c.R - 1) && c.W + 2 * c.padding[1] > c.dilation[1] * (c.S - 1),
    );

const check = (cases: ReturnType<typeof convolution>, numRuns?: number) =>
  checkOp(
    cases,
    ({ N, H, W, Cg, Og, groups, R, S, stride, padding, dilation }) => ({
      inputs: [{ shape: [N, H, W, Cg * groups] }, { shape: [Og * groups, R, S, Cg] }],
      f: (x, w) => conv2d(x, w, { stride, padding, dilation, groups }),
    }),
    {},
    numRuns,
  );

describe('conv2d', () => {
  it('any channels: GPU = mirror, gradients', () =>
    check(convolution(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 9 })), 40));

  it('channels in fours: GPU = mirror, gradients', () =>
    check(convolution(fc.constantFrom(4, 8, 12), fc.constantFrom(4, 8, 16, 5)), 40));

  it('the shapes of a ResNet', () =>
    checkOp(
      fc.constantFrom([3, 3, 1, 8, 16], [3, 3, 2, 16, 8], [3, 1, 2, 8, 16], [2, 7, 2, 3, 8]),
      ([N, R, stride, C, O]) => ({
        inputs: [{ shape: [N, 16, 16, C] }, { shape: [O, R, R, C] }],
        f: (x, w) => conv2d(x, w, { stride, padding: R >> 1 }),
      }),
      {},
      6,
    ));

  it('names the shapes that do not fit', async () => {
    on(await gpu(), () => {
      const x = tensor(new Float32Array(12), [1, 2, 2, 3]);
      expect(() => conv2d(x, tensor(new Float32Array(2), [1, 1, 1, 2]))).toThrow(
        "conv2d: x must have 2 channels (groups × w's), and O must divide by the groups; got x [1, 2, 2, " +
          '3] and w [1, 1, 1, 2]',
      );
      expect(() => conv2d(x, tensor(new Float32Array(27), [1, 3, 3, 3]))).toThrow(
        'the filter must fit into the padded picture',
      );
    });
  });
});
