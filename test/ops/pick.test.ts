import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { zeros } from '../../src/fill.js';
import { pick } from '../../src/ops/pick.js';
import { on, reference } from '../support/devices.js';
import { checkOp, uglySize, uglySizeAtLeast1 } from '../support/op.js';

describe('pick', () => {
  it('GPU = mirror; a column past the end counts as the last', () =>
    checkOp(fc.record({ N: fc.oneof(uglySize, fc.constant(130)), C: uglySizeAtLeast1 }), ({ N, C }) => ({
      inputs: [{ shape: [N, C], grad: false }, { shape: [N], dtype: 'u32', values: (r) => r.below(C + 2) }],
      f: pick,
    }), { gradient: false, relative: 0, absolute: 0 }));

  it('names what does not fit', () =>
    on(reference, () => {
      expect(() => pick(zeros([3, 0]), zeros([3], 'u32'))).toThrow('pick: x must be [N, C] with a column at least; got [3, 0]');
      expect(() => pick(zeros([3, 2]), zeros([2], 'u32'))).toThrow('pick: the columns must have shape [3]; got [2]');
      expect(() => pick(zeros([3, 2]), zeros([3]))).toThrow('must be u32');
    }));
});
