import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.js';
import { matmul, matmulPrimitive } from '../../src/ops/matmul.js';
import { matmulVariants } from '../../src/ops/matmul_variants.js';
import { run } from '../../src/tensor/run.js';
import { empty, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference64 } from '../support/devices.js';
import { assertClose, checkOp } from '../support/op.js';

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

  const rungSize = fc.constantFrom(1, 3, 8, 15, 36, 64, 65, 132);
  const problem = fc.record({
    batch: fc.constantFrom(1, 3),
    M: rungSize,
    N: rungSize,
    K: fc.constantFrom(0, 1, 7, 16, 33, 68, 516),
    ta: fc.boolean(),
    tb: fc.boolean(),
  });

  it.each(matmulVariants.variants.map((r) => [r.name, r] as const))(
    'variant %s equals the mirror',
    async (name, variant) => {
      const device = await gpu();
      await fc.assert(
        fc.asyncProperty(problem, async ({ batch, M, N, K, ta, tb }) => {
          const half = /f16|matrix/.test(name) ? 1 : 0;
          const p = {
            batch,
            M,
            N,
            K,
            aBatch: M * K,
            bBatch: 0,
            aRow: ta ? 1 : K,
            aCol: ta ? M : 1,
            bRow: tb ? 1 : N,
            bCol: tb ? K : 1,
            half,
          } as const;
          const traits = { ...device.gpu.traits, software: false, parallelGroups: 64 }; // splits K where it is long
          if (!variant.supports(p, traits)) return;
          const rng = new Rng(M * 7919 + N * 31 + K);
          const a = Array.from({ length: batch * M * K }, () => rng.normal());
          const b = Array.from({ length: K * N }, () => rng.normal());
          const c = (backend: typeof device | typeof reference64) =>
            on(backend, () =>
              tidy(() => {
                const y = empty([batch, M, N]);
                run({ ...matmulPrimitive, gpu: (q) => variant.launch(q, traits) }, [tensor(a), tensor(b)], [y], p);
                return y.data();
              }),
            );
          assertClose(name, await c(device), await c(reference64), half ? { relative: 2 ** -9 } : {});
        }),
        { numRuns: 12 },
      );
    },
  );

  it('names the sizes that do not fit', async () => {
    on(await gpu(), () =>
      expect(() => matmul(tensor([1, 2], [1, 2]), tensor([1, 2, 3], [3, 1]))).toThrow(
        'matmul: the inner sizes must agree; got [1, 2] and [3, 1], 2 against 3',
      ),
    );
  });
});
