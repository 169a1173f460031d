import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ones } from '../../src/fill.js';
import { crossEntropy } from '../../src/ops/cross_entropy.js';
import { logSoftmax } from '../../src/ops/softmax.js';
import { parameter, tensor } from '../../src/tensor.js';
import { backward } from '../../src/autograd.js';
import { gpu, on } from '../support/devices.js';
import { assertClose, checkOp, uglySizeAtLeast1 } from '../support/op.js';

const logits = fc.tuple(uglySizeAtLeast1, fc.constantFrom(1, 2, 3, 10, 63, 64, 65, 130));

describe('cross entropy', () => {
  it('GPU = mirror, gradients', () =>
    checkOp(logits, ([N, C]) => ({ inputs: [{ shape: [N, C], values: (r) => 3 * r.normal() }, { shape: [N], dtype: 'u32', values: (r) => r.below(C) }], f: crossEntropy })));

  it('as many classes as a queue has keys', () =>
    checkOp(fc.constant(0), () => ({ inputs: [{ shape: [2, 4097], values: (r) => 3 * r.normal() }, { shape: [2], dtype: 'u32', values: () => 0 }], f: crossEntropy }), {}, 2));

  it('is the mean of -log softmax at the labels; labels past the end count as the last class', async () => {
    const [N, C] = [5, 7];
    const values = Array.from({ length: N * C }, (_, i) => 5 * Math.cos(3 * i));
    const labels = [6, 0, 3, 7, 4294967295];
    const [loss, logs] = await on(await gpu(), () => {
      const x = tensor(values, [N, C]);
      return Promise.all([crossEntropy(x, tensor(labels, [N], 'u32')), logSoftmax(x)].map((t) => t.data()));
    });
    assertClose('loss', loss, [labels.reduce((total, label, n) => total - logs[n * C + Math.min(label, C - 1)], 0) / N]);
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
      expect(() => crossEntropy(ones([2, 3]), tensor([0, 1, 2], [3], 'u32'))).toThrow('crossEntropy: labels must have shape [2]; got [3]');
      expect(() => crossEntropy(ones([2, 3]), ones([2]))).toThrow('crossEntropy: the tensor must be u32; got f32 [2]');
      expect(() => crossEntropy(ones([0, 3]), tensor([], [0], 'u32'))).toThrow('crossEntropy: logits must be [N, C], with a row and a class at least; got [0, 3]');
    });
  });
});
