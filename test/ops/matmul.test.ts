import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matmul } from '../../src/ops/matmul.js';
import { tensor } from '../../src/tensor/tensor.js';
import { gpu, on } from '../support/devices.js';
import { checkOp } from '../support/op.js';

const size = fc.constantFrom(0, 1, 2, 3, 5, 7, 13, 15, 16, 17, 31, 33, 63, 64, 65);
const product = fc.record({
  M: size,
  N: size,
  K: size,
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  aLead: fc.constantFrom([], [3], [2, 2]),
  bLead: fc.boolean(),
});

describe('matmul', () => {
  it('all transposes and batches: GPU = mirror, gradients', () =>
    checkOp(product, ({ M, N, K, transposeA, transposeB, aLead, bLead }) => ({
      inputs: [
        { shape: [...aLead, ...(transposeA ? [K, M] : [M, K])] },
        { shape: [...(bLead ? aLead : []), ...(transposeB ? [N, K] : [K, N])] },
      ],
      f: (a, b) => matmul(a, b, { transposeA, transposeB }),
    })));

  it('names the sizes that do not fit', async () => {
    on(await gpu(), () =>
      expect(() => matmul(tensor([1, 2], [1, 2]), tensor([1, 2, 3], [3, 1]))).toThrow(
        'matmul: the inner sizes must agree; got [1, 2] and [3, 1], 2 against 3',
      ),
    );
  });
});
