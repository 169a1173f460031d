import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add } from '../../src/ops/binary.js';
import { sum } from '../../src/ops/reduce.js';
import { logSoftmax, softmax } from '../../src/ops/softmax.js';
import { backward } from '../../src/tensor/autograd.js';
import { ones } from '../../src/tensor/fill.js';
import { parameter, tensor } from '../../src/tensor/tensor.js';
import { gpu, hardware, on } from '../support/devices.js';
import { assertClose, checkOp, uglySize } from '../support/op.js';

const rows = fc.tuple(fc.array(uglySize, { maxLength: 2 }), fc.constantFrom(0, 1, 2, 3, 5, 17, 63, 64, 65, 130));

describe('softmax', () => {
  it.each([
    ['softmax', softmax],
    ['log softmax', logSoftmax],
  ] as const)('%s: GPU = mirror, gradients', (_, f) =>
    checkOp(rows, ([lead, C]) => ({ inputs: [{ shape: [...lead, C], values: (r) => 3 * r.normal() }], f })),
  );

  it('long rows are shared by many threads', () =>
    checkOp(fc.constantFrom([1, 5000], [3, 1999]), (shape) => ({ inputs: [{ shape }], f: logSoftmax }), {}, 3));

  /** Rows in registers: several a workgroup, one, longer than the gradient holds, and in slices; in vec4s and not. */
  it.each([
    [
      'softmax',
      softmax,
      [
        [3, 0],
        [9, 1],
        [5, 3],
        [2, 4],
        [67, 20],
        [3, 49],
        [3, 516],
        [2, 3000],
        [1, 9001],
      ],
    ],
    [
      'log softmax',
      logSoftmax,
      [
        [2, 5],
        [35, 20],
        [3, 516],
        [1, 8204],
        [3, 4097],
      ],
    ],
  ] as const)('%s on a graphics card: GPU = mirror, gradients', (_, f, shapes) =>
    checkOp(
      fc.constantFrom(...shapes),
      (shape) => ({ inputs: [{ shape: [...shape], values: (r) => 3 * r.normal() }], f }),
      { hardware: true },
      2 * shapes.length,
    ),
  );

  it('sums to 1, and a shift of the logits changes nothing', async () => {
    const [y, total, shifted, logs] = await on(await gpu(), () => {
      const x = tensor(
        Array.from({ length: 7 * 66 }, (_, i) => Math.sin(i)),
        [7, 66],
      );
      const y = softmax(x);
      return Promise.all([y, sum(y, -1), softmax(add(x, 64)), logSoftmax(x)].map((t) => t.data()));
    });
    assertClose('sum', total, new Array(7).fill(1), { relative: 1e-6 });
    assertClose('shifted', shifted, y);
    assertClose('log', logs.map(Math.exp), y);
  });

  it.each([
    ['here', gpu],
    ['a graphics card', hardware],
  ])('extreme logits stay finite and exact: %s', async (_, device) => {
    const values = [1e4, 1e4 - 1, -1e4, -1e4, -1e4, -1e4, 3e38, -3e38, 0];
    const [y, logs, grad] = await on(await device(), () => {
      const x = parameter(tensor(values, [3, 3]));
      const log = logSoftmax(x);
      backward(sum(log, [0, 1]));
      return Promise.all([softmax(x), log, x.grad!].map(async (t) => Array.from(await t.data())));
    });
    const e = 1 / (1 + Math.exp(-1));
    assertClose('softmax', y, [e, 1 - e, 0, 1 / 3, 1 / 3, 1 / 3, 1, 0, 0]);
    assertClose('log softmax', logs.slice(0, 6), [
      Math.log(e),
      Math.log(1 - e),
      -2e4 + Math.log(e),
      ...new Array(3).fill(-Math.log(3)),
    ]);
    assertClose('small log softmax', logs.slice(0, 2), [Math.log(e), Math.log(1 - e)]);
    expect(grad.every(Number.isFinite)).toBe(true);
  });

  it('needs an axis', async () => {
    on(await gpu(), () => expect(() => softmax(ones([]))).toThrow('softmax: rows must lie along a last axis; got []'));
  });
});
