import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mul } from '../../src/ops/binary.js';
import { l2Normalize } from '../../src/ops/l2_normalize.js';
import { ones } from '../../src/tensor/fill.js';
import { tensor } from '../../src/tensor/tensor.js';
import { gpu, on } from '../support/devices.js';
import { assertClose, checkOp, uglySize } from '../support/op.js';

/** A row of one value has no gradient but rounding, and one near 0 a very steep one: forward alone is checked there. */
const rows = fc.tuple(fc.array(uglySize, { maxLength: 2 }), fc.constantFrom(0, 2, 3, 5, 17, 63, 64, 65, 128));
const far = (r: { normal(): number }) => ((v) => v + 0.3 * Math.sign(v))(r.normal());

describe('l2 normalize', () => {
  it('GPU = mirror, gradients', () =>
    checkOp(rows, ([lead, C]) => ({ inputs: [{ shape: [...lead, C], values: far }], f: (x) => l2Normalize(x) })));

  it('below eps it divides by eps: GPU = mirror, gradients', () =>
    checkOp(rows, ([lead, C]) => ({ inputs: [{ shape: [...lead, C], values: far }], f: (x) => l2Normalize(x, 100) })));

  it('rows have norm 1 whatever their scale; zeros stay zeros', async () => {
    const values = [3, 4, -1e-8, 1e-8, 0, 0, 1e15, 1e15, 7, 0];
    const h = Math.SQRT1_2;
    const y = await on(await gpu(), () => l2Normalize(tensor(values, [5, 2])).data());
    assertClose('y', y, [0.6, 0.8, -h, h, 0, 0, h, h, 1, 0]);
  });

  it('rows of one value: GPU = mirror', () =>
    checkOp(
      fc.constantFrom(0, 1, 65),
      (rows) => ({ inputs: [{ shape: [rows, 1] }], f: (x) => l2Normalize(x) }),
      { gradient: false },
      4,
    ));

  it('ignores the scale of a row', async () => {
    const [a, b] = on(await gpu(), () => {
      const x = tensor([1, -2, 3, 4, 5, -6], [2, 3]);
      return [l2Normalize(x).data(), l2Normalize(mul(x, 17)).data()];
    });
    assertClose('scaled', await b, await a);
  });

  it('needs an axis', async () => {
    on(await gpu(), () =>
      expect(() => l2Normalize(ones([]))).toThrow(
        'l2Normalize: rows must lie along a last axis; got []. Reshape it to [1].',
      ),
    );
  });
});
