import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pick } from '../../src/ops/pick.js';
import { zeros } from '../../src/tensor/fill.js';
import { tensor } from '../../src/tensor/tensor.js';
import { gpu, on, reference } from '../support/devices.js';
import { checkOp, uglySize, uglySizeAtLeast1 } from '../support/op.js';

describe('pick', () => {
  it('GPU = mirror', () =>
    checkOp(
      fc.record({ N: fc.oneof(uglySize, fc.constant(130)), C: uglySizeAtLeast1 }),
      ({ N, C }) => ({
        inputs: [
          { shape: [N, C], grad: false },
          { shape: [N], dtype: 'u32', values: (r) => r.below(C) },
        ],
        f: pick,
      }),
      { gradient: false, relative: 0, absolute: 0 },
    ));

  it('a column past the last gives NaN; numbers are checked', async () => {
    for (const device of [await gpu(), reference])
      expect(
        Array.from(
          await on(device, () =>
            pick(
              tensor([
                [1, 2],
                [3, 4],
                [5, 6],
              ]),
              tensor([1, 2, 4294967295], [3], 'u32'),
            ).data(),
          ),
        ),
      ).toEqual([2, NaN, NaN]);
    on(reference, () =>
      expect(() => pick(tensor([[1, 2]]), [2])).toThrow(
        'pick: the columns must lie in [0, 1]; got 2 at place 0. Correct it.',
      ),
    );
  });

  it('names what does not fit', () =>
    on(reference, () => {
      expect(() => pick(zeros([3, 0]), zeros([3], 'u32'))).toThrow(
        'pick: x must be [N, C] with a column at least; got [3, 0]',
      );
      expect(() => pick(zeros([3, 2]), zeros([2], 'u32'))).toThrow('pick: the columns must have shape [3]; got [2]');
      expect(() => pick(zeros([3, 2]), zeros([3]))).toThrow('must be u32');
    }));
});
