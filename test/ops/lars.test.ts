import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add } from '../../src/ops/binary.js';
import { lars, larsTable } from '../../src/ops/lars.js';
import { concat } from '../../src/ops/strided.js';
import { zeros } from '../../src/tensor/fill.js';
import { tensor } from '../../src/tensor/tensor.js';
import { gpu, on } from '../support/devices.js';
import { assertClose, checkOp } from '../support/op.js';

const lengths = fc.constantFrom(0, 1, 2, 3, 4, 5, 63, 64, 65, 257, 8191, 8192, 8193, 20000);
const parts = fc.array(fc.record({ length: lengths, adapted: fc.boolean() }), { minLength: 1, maxLength: 5 });

/** Tensors behind each other at multiples of 64, as FlatParameters places them. */
function placed(list: { length: number; adapted: boolean }[]) {
  let start = 0;
  const table = list.map((p) => ({
    start: (start += Math.ceil(p.length / 64) * 64) - Math.ceil(p.length / 64) * 64,
    ...p,
  }));
  return { table, inside: (i: number) => table.some((p) => i >= p.start && i < p.start + p.length), length: start };
}

describe('lars', () => {
  it.each([false, true])('GPU = mirror, parameters and velocity; threads that share a chunk: %s', (hardware) =>
    checkOp(
      fc.record({
        list: parts,
        momentum: fc.constantFrom(0, 0.9),
        weightDecay: fc.constantFrom(0, 1e-2),
        trust: fc.constantFrom(0.001, 1),
      }),
      ({ list, ...options }) => {
        const { table, inside, length } = placed(list);
        const values = (r: { normal(): number }, i: number) => (inside(i) ? r.normal() : 0);
        return {
          inputs: [
            { shape: [length], values },
            { shape: [length], values },
            { shape: [length], values },
            { shape: [1], values: () => 0.3 },
          ],
          f: (w0, dw, v0, lr) => {
            const [w, v] = [add(w0, 0), add(v0, 0)];
            lars(w, dw, v, larsTable(table), lr, options);
            return concat([w, v]);
          },
        };
      },
      { gradient: false, hardware },
      12,
    ),
  );

  it('equals two steps worked out by hand', async () => {
    // w = (3, 4), dw = (0, 2.5) with decay 0.5: dp = (1.5, 4.5), ‖w‖ = 5, ‖dp‖ = √22.5; then a tensor that is not
    // adapted
    const read = on(await gpu(), () => {
      const [w, v] = [tensor([3, 4, 0, 0, 3, 4]), zeros([6])];
      const table = larsTable([
        { start: 0, length: 2, adapted: true },
        { start: 4, length: 2, adapted: false },
      ]);
      const padded = (t: typeof w) => concat([t, zeros([2])]);
      const [W, V] = [padded(w), padded(v)];
      const dw = tensor([0, 2.5, 0, 0, 0, 2.5, 0, 0]);
      for (const rate of [0.1, 0.2])
        lars(W, dw, V, table, tensor([rate]), { momentum: 0.9, weightDecay: 0.5, trust: 0.1 });
      return [W.data(), V.data()];
    });
    const [w, v] = [
      [3, 4],
      [0, 0],
    ];
    for (const rate of [0.1, 0.2]) {
      const dp = [0.5 * w[0], 2.5 + 0.5 * w[1]];
      const ratio = (0.1 * Math.hypot(...w)) / Math.hypot(...dp);
      dp.forEach((d, i) => (v[i] = 0.9 * v[i] + ratio * d));
      v.forEach((e, i) => (w[i] -= rate * e));
    }
    const [gotW, gotV] = await Promise.all(read);
    // not adapted: v = 2.5, w = 4 - 0.25; v = 4.75, w = 3.75 - 0.95
    assertClose('w', gotW, [...w, 0, 0, 3, 2.8, 0, 0]);
    assertClose('v', gotV, [...v, 0, 0, 0, 4.75, 0, 0]);
  });

  it('moves by lr · dp where a norm is 0', async () => {
    const w = await on(await gpu(), () => {
      const w = zeros([8]);
      const table = larsTable([
        { start: 0, length: 4, adapted: true },
        { start: 4, length: 4, adapted: true },
      ]);
      lars(w, tensor([1, 2, 3, 4, 0, 0, 0, 0]), zeros([8]), table, tensor([0.5]), { momentum: 0.9, weightDecay: 0.1 });
      return w.data();
    });
    assertClose('w', w, [-0.5, -1, -1.5, -2, 0, 0, 0, 0]);
  });

  it('names what does not fit', async () => {
    on(await gpu(), () => {
      const [one, two] = [tensor([1]), tensor([1, 2])];
      const table = larsTable([{ start: 0, length: 1, adapted: true }]);
      expect(() => lars(two, one, two, table, one, { momentum: 0.9, weightDecay: 0 })).toThrow(
        'lars: the gradient must have shape [2]; got [1]',
      );
      expect(() => lars(one, one, one, table, two, { momentum: 0.9, weightDecay: 0 })).toThrow(
        'lars: lr must have one element; got [2]',
      );
      expect(() => lars(one, one, one, table, one, { momentum: 0.9, weightDecay: 0, trust: 0 })).toThrow(
        'trust must be a number above 0; got 0',
      );
    });
  });
});
