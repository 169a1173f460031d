import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rowDot } from '../../src/ops/row_dot.js';
import { ones } from '../../src/tensor/fill.js';
import { gpu, on } from '../support/devices.js';
import { checkOp, uglySize } from '../support/op.js';

describe('row dot', () => {
  it('GPU = mirror, gradients', () =>
    checkOp(
      fc.tuple(fc.array(uglySize, { maxLength: 2 }), fc.constantFrom(0, 1, 2, 7, 63, 64, 65, 130)),
      ([lead, C]) => ({ inputs: [{ shape: [...lead, C] }, { shape: [...lead, C] }], f: rowDot }),
    ));

  it('rows that threads of a graphics card share: GPU = mirror, gradients', () =>
    checkOp(
      fc.constantFrom([0, 4], [3, 0], [70, 3], [37, 32], [5, 49], [2, 5000], [3, 1999]),
      (shape) => ({ inputs: [{ shape }, { shape }], f: rowDot }),
      { absolute: 7e-5, hardware: true },
      10,
    ));

  // √5000 terms' worth of rounding: "forward[0]: got -1.0047099590301514, expected -1.0046867000456674 (allowed
  // ±0.0000211)"
  it('long rows are shared by many threads', () =>
    checkOp(
      fc.constantFrom([1, 5000], [3, 1999]),
      (shape) => ({ inputs: [{ shape }, { shape }], f: rowDot }),
      { absolute: 7e-5 },
      3,
    ));

  it('names the shapes that do not fit', async () => {
    on(await gpu(), () => {
      expect(() => rowDot(ones([2, 3]), ones([3]))).toThrow('rowDot: b must have shape [2, 3]; got [3]');
      expect(() => rowDot(ones([]), ones([]))).toThrow('rowDot: rows must lie along a last axis; got []');
    });
  });
});
