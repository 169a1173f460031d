import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matmulPrimitive, matmul } from '../../src/ops/matmul.js';
import { run, empty, tensor } from '../../src/tensor.js';
import { Rng } from '../../src/core/rng.js';
import { gpu, on, reference64 } from '../support/devices.js';
import { assertClose, checkOp } from '../support/op.js';

const size = fc.constantFrom(0, 1, 2, 3, 5, 7, 13, 15, 16, 17, 31, 33, 63, 64, 65);
const product = fc.record({ M: size, N: size, K: size, transposeA: fc.boolean(), transposeB: fc.boolean(), aLead: fc.constantFrom([], [3], [2, 2]), bLead: fc.boolean() });

describe('matmul', () => {
  it('all transposes and batches: GPU = mirror, gradients', () =>
    checkOp(product, ({ M, N, K, transposeA, transposeB, aLead, bLead }) => ({
      inputs: [{ shape: [...aLead, ...(transposeA ? [K, M] : [M, K])] }, { shape: [...(bLead ? aLead : []), ...(transposeB ? [N, K] : [K, N])] }],
      f: (a, b) => matmul(a, b, { transposeA, transposeB }),
    })));

  it('every rung equals the mirror', async () => {
    const device = await gpu();
    await fc.assert(fc.asyncProperty(product, async ({ M, N, K, transposeA: ta, transposeB: tb }) => {
      const p = { batch: 1, M, N, K, aBatch: 0, bBatch: 0, aRow: ta ? 1 : K, aCol: ta ? M : 1, bRow: tb ? 1 : N, bCol: tb ? K : 1 };
      const rng = new Rng(M * 7919 + N * 31 + K);
      const a = Array.from({ length: M * K }, () => rng.normal());
      const b = Array.from({ length: K * N }, () => rng.normal());
      const c = (backend: typeof device | typeof reference64, software: boolean) => on(backend, () => {
        const y = empty([M, N]);
        run({ ...matmulPrimitive, gpu: (q, traits) => matmulPrimitive.gpu(q, { ...traits, software }) }, [tensor(a), tensor(b)], [y], p);
        return y.data();
      });
      const want = await c(reference64, true);
      for (const software of [true, false]) assertClose(software ? 'direct' : 'tiled', await c(device, software), want);
    }), { numRuns: 25 });
  });

  it('names the sizes that do not fit', async () => {
    on(await gpu(), () => expect(() => matmul(tensor([1, 2], [1, 2]), tensor([1, 2, 3], [3, 1]))).toThrow('matmul: the inner sizes must agree; got [1, 2] and [3, 1], 2 against 3'));
  });
});
