import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GpuBackend } from '../../src/backend/gpu.js';
import { Choice } from '../../src/backend/variants.js';
import { Rng } from '../../src/core/rng.js';
import { VisionTransformer } from '../../src/nn/vit.js';
import { add } from '../../src/ops/binary.js';
import { linear, linearPrimitive } from '../../src/ops/linear.js';
import { matmul, matmulPrimitive } from '../../src/ops/matmul.js';
import { matmulVariants } from '../../src/ops/matmul_variants.js';
import type { MatmulParams } from '../../src/reference/matmul.js';
import { run } from '../../src/tensor/run.js';
import { empty, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, hardware, on, reference, reference64 } from '../support/devices.js';
import { checkHalf } from '../support/half.js';
import { playMatrices, withMatrices } from '../support/matrices.js';
import { assertClose, checkOp } from '../support/op.js';

const size = fc.constantFrom(0, 1, 2, 3, 5, 7, 13, 16, 17, 33, 65);
const problem = fc.record({ M: size, N: size, K: size, bias: fc.boolean() });
const normal = (length: number, seed: number): Float32Array => {
  const rng = new Rng(seed, 'linear');
  return Float32Array.from({ length }, () => rng.normal());
};
const params = (
  M: number,
  N: number,
  K: number,
  half: 0 | 1,
  [aT, bT]: readonly boolean[] = [false, true],
): MatmulParams => ({
  batch: 1,
  M,
  N,
  K,
  aBatch: 0,
  bBatch: 0,
  aRow: aT ? 1 : K,
  aCol: aT ? M : 1,
  bRow: bT ? 1 : N,
  bCol: bT ? K : 1,
  half,
});

/** Kernels of what `fn` does, in order. */
const kernelsOf = (device: GpuBackend, fn: () => unknown): string[] =>
  on(device, () =>
    device.record([], () => (tidy(() => void fn()), [])).recording.dispatches.map(({ kernel }) => kernel.name),
  );

describe('linear', () => {
  it.each([true, false])('GPU = mirror, gradients, chosen as for a graphics card: %s', (hardware) =>
    checkOp(
      problem,
      ({ M, N, K, bias }) => ({
        inputs: [{ shape: [M, K] }, { shape: [N, K] }, ...(bias ? [{ shape: [N] }] : [])],
        f: (x, w, b) => linear(x, w, b),
      }),
      { hardware },
      12,
    ),
  );

  it('of halves: GPU = mirror', () =>
    checkHalf(problem, ({ M, N, K }) => ({
      inputs: [{ shape: [M, K], dtype: 'f16' }, { shape: [N, K] }, { shape: [N] }],
      f: (x, w, b) => linear(x, w, b),
    })));

  it('of batches and on plain arrays is product and sum', async () => {
    for (const backend of [await hardware(), reference, reference64]) {
      const [fused, apart] = on(backend, () =>
        tidy(() =>
          [
            [6, 5],
            [2, 3, 5],
          ]
            .flatMap((shape) => {
              const [x, w, b] = [tensor(normal(30, 1), shape), tensor(normal(20, 2), [4, 5]), tensor(normal(4, 3))];
              return [linear(x, w, b), add(matmul(x, w, { transposeB: true }), b)];
            })
            .reduce<[Promise<unknown>[], Promise<unknown>[]]>(
              (lists, y, i) => (lists[i % 2].push(y.data()), lists),
              [[], []],
            ),
        ),
      );
      expect(await Promise.all(fused)).toEqual(await Promise.all(apart));
    }
  });

  it('names the sizes that do not fit', async () => {
    on(await gpu(), () => {
      expect(() => linear(empty([2, 3]), empty([4, 3]), empty([3]))).toThrow(
        'linear: the bias must have shape [4]; got [3]. Reshape or rebuild it.',
      );
      expect(() => linear(empty([2, 3]), empty([4, 5]), empty([4]))).toThrow('matmul: the inner sizes must agree');
    });
  });
});

/** All variants but the one that only software runs. */
describe('a bias in the store of', () => {
  const shapes = [
    [1, 4, 8],
    [7, 36, 33],
    [65, 68, 16],
    [132, 132, 36],
    [3, 260, 64],
    [130, 1, 5],
    [5, 8, 0],
  ];
  it.each(matmulVariants.variants.filter((r) => r.name !== 'broadcast').map((r) => [r.name, r] as const))(
    '%s is what follows the product: to the bit in f32, rounded once in f16',
    async (name, variant) => {
      const device = await gpu();
      const half = /f16|matrix/.test(name) ? 1 : 0;
      // wide takes SwiftShader seconds to compile: it runs on Mesa
      if ((half && !device.f16) || (name === 'wide' && device.traits.subgroup === 4)) return;
      const traits = {
        ...(name === 'matrix' ? withMatrices(device.traits) : { ...device.traits, software: false }),
        parallelGroups: 1,
      };
      const turns = half
        ? [[false, true]]
        : [
            [false, true],
            [true, false],
          ];
      const problems = shapes
        .flatMap(([M, N, K]) => turns.map((turned) => params(M, N, K, half, turned)))
        .filter((p) => variant.supports(p, traits));
      expect(problems.length).toBeGreaterThan(2);
      for (const p of problems) {
        const values = [normal(p.M * p.K, p.M), normal(p.K * p.N, p.N), normal(p.N, p.K)];
        const [fused, apart] = await on(device, () =>
          tidy(() => {
            const [a, b, bias] = values.map((v) => tensor(v));
            const out = [empty([p.M, p.N], half ? 'f16' : 'f32'), empty([p.M, p.N])];
            run(
              { ...linearPrimitive, gpu: () => playMatrices(variant.epilogue!.bias!(p, traits)!) },
              [a, b, bias],
              [out[0]],
              p,
            );
            if (!half) run({ ...matmulPrimitive, gpu: () => variant.launch(p, traits) }, [a, b], [out[1]], p);
            return Promise.all([out[0].data(), add(out[1], bias).data()]);
          }),
        );
        if (!half) expect(fused, JSON.stringify(p)).toEqual(apart);
        const exact = await on(reference64, () =>
          tidy(() => {
            const y = empty([p.M, p.N]);
            run(
              linearPrimitive,
              values.map((v) => tensor(v)),
              [y],
              p,
            );
            return y.data();
          }),
        );
        assertClose(JSON.stringify(p), fused, exact, half ? { relative: 2 ** -9 } : {});
      }
    },
  );

  it('is not there where K is split, for batches, and on software', async () => {
    const traits = { ...(await hardware()).traits, parallelGroups: 64 };
    const has = (p: MatmulParams, more = {}) =>
      new Choice(matmulVariants, p, { ...traits, ...more }).bias() !== undefined;
    const p = params(64, 64, 256, 0);
    expect([has(p), has({ ...p, K: 1024 }), has({ ...p, batch: 2 }), has(p, { software: true })]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('a block of a vision transformer', () => {
  it('has a dispatch fewer for each of its four layers', async () => {
    const [fused, apart] = [await hardware(), await gpu()].map((device) => {
      const model = on(
        device,
        () => new VisionTransformer({ width: 24, heads: 2, depth: 1, patch: 8, size: 16, head: 'none' }),
      );
      return kernelsOf(device, () => model.call(empty([3, 16, 16, 3])));
    });
    const count = (kernels: string[], what: RegExp) => kernels.filter((k) => what.test(k)).length;
    expect([fused, apart].map((kernels) => count(kernels, /^matmul/))).toEqual([4, 4]);
    expect([fused, apart].map((kernels) => count(kernels, /^matmul.*BIAS1/))).toEqual([4, 0]);
    expect(count(apart, /^binary/) - count(fused, /^binary/)).toBe(4);
    expect(apart.length - fused.length).toBe(4);
  });
});
