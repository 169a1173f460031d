import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.js';
import { crossEntropy } from '../../src/ops/cross_entropy.js';
import { logSoftmax } from '../../src/ops/softmax.js';
import { backward } from '../../src/tensor/autograd.js';
import { ones } from '../../src/tensor/fill.js';
import { parameter, type Tensor, tensor } from '../../src/tensor/tensor.js';
import { gpu, on, reference, reference64 } from '../support/devices.js';
import { assertClose, checkOp, uglySizeAtLeast1 } from '../support/op.js';

const logits = fc.tuple(uglySizeAtLeast1, fc.constantFrom(1, 2, 3, 10, 63, 64, 65, 130));

describe('cross entropy', () => {
  it('GPU = mirror, gradients', () =>
    checkOp(logits, ([N, C]) => ({
      inputs: [
        { shape: [N, C], values: (r) => 3 * r.normal() },
        { shape: [N], dtype: 'u32', values: (r) => r.below(C) },
      ],
      f: crossEntropy,
    })));

  it('as many classes as a queue has keys', () =>
    checkOp(
      fc.constant(0),
      () => ({
        inputs: [
          { shape: [2, 4097], values: (r) => 3 * r.normal() },
          { shape: [2], dtype: 'u32', values: () => 0 },
        ],
        f: crossEntropy,
      }),
      {},
      2,
    ));

  it('is the mean of -log softmax at the labels', async () => {
    const [N, C] = [3, 7];
    const values = Array.from({ length: N * C }, (_, i) => 5 * Math.cos(3 * i));
    const labels = [6, 0, 3];
    const [loss, logs] = await on(await gpu(), () => {
      const x = tensor(values, [N, C]);
      return Promise.all([crossEntropy(x, tensor(labels, [N], 'u32')), logSoftmax(x)].map((t) => t.data()));
    });
    assertClose('loss', loss, [labels.reduce((total, label, n) => total - logs[n * C + label], 0) / N]);
  });

  it('of a label past the last class on the device is NaN, and so is its row of the gradient alone', async () => {
    for (const C of [3, 70]) // one thread a row, and several
      for (const past of [C, 4294967295])
        for (const device of [await gpu(), reference, reference64]) {
          const [loss, grad] = await on(device, () => {
            const x = parameter(
              tensor(
                Array.from({ length: 3 * C }, (_, i) => Math.sin(i)),
                [3, C],
              ),
            );
            const y = crossEntropy(x, tensor([C - 1, past, 0], [3], 'u32'));
            backward(y);
            return Promise.all([y.data(), x.grad!.data()]);
          });
          expect(loss[0]).toBeNaN();
          expect(
            [0, 1, 2].map((r) => Array.from(grad.subarray(r * C, (r + 1) * C)).filter(Number.isNaN).length),
          ).toEqual([0, C, 0]);
        }
  });

  it('takes labels as numbers, checked', async () => {
    const y = on(reference, () =>
      [[2, 0], Uint32Array.of(2, 0), tensor([2, 0], [2], 'u32')].map((labels) =>
        crossEntropy(ones([2, 3]), labels as number[]).data(),
      ),
    );
    const [a, b, c] = await Promise.all(y);
    expect([a, b]).toEqual([c, c]);
    on(reference, () => {
      for (const wrong of [
        [3, 0],
        [-1, 0],
        [0.5, 0],
        [NaN, 0],
      ])
        expect(() => crossEntropy(ones([2, 3]), wrong)).toThrow(
          `crossEntropy: labels must lie in [0, 2]; got ${wrong[0]} at place 0. Correct it.`,
        );
    });
  });

  it('refuses numbers in a recording, where they would stay', async () => {
    const f = compile((x: Tensor) => crossEntropy(x, [0, 1]));
    const device = await gpu();
    expect(() => on(device, () => f(ones([2, 3])))).toThrow(
      'crossEntropy: labels must be a tensor inside a compiled function; got numbers. Pass them as an argument.',
    );
  });

  it('extreme logits stay finite', async () => {
    const [loss, grad] = await on(await gpu(), () => {
      const x = parameter(tensor([1e4, -1e4, -1e4, 1e4], [2, 2]));
      const loss = crossEntropy(x, tensor([0, 0], [2], 'u32'));
      backward(loss);
      return Promise.all([loss.data(), x.grad!.data()]);
    });
    assertClose('loss', loss, [1e4]);
    assertClose('gradient', grad, [0, 0, -0.5, 0.5]);
  });

  it('names what does not fit', async () => {
    on(await gpu(), () => {
      expect(() => crossEntropy(ones([2, 3]), tensor([0, 1, 2], [3], 'u32'))).toThrow(
        'crossEntropy: labels must have shape [2]; got [3]',
      );
      expect(() => crossEntropy(ones([2, 3]), ones([2]))).toThrow('crossEntropy: the tensor must be u32; got f32 [2]');
      expect(() => crossEntropy(ones([0, 3]), tensor([], [0], 'u32'))).toThrow(
        'crossEntropy: logits must be [N, C], with a row and a class at least; got [0, 3]',
      );
    });
  });
});
