import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GpuBackend } from '../../src/backend/gpu.js';
import { Choice } from '../../src/backend/variants.js';
import { Rng } from '../../src/core/rng.js';
import { VisionTransformer } from '../../src/nn/vit.js';
import { add } from '../../src/ops/binary.js';
import { linear } from '../../src/ops/linear.js';
import { matmul } from '../../src/ops/matmul.js';
import { matmulVariants } from '../../src/ops/matmul_variants.js';
import type { MatmulParams } from '../../src/reference/matmul.js';
import { empty, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, hardware, on, reference, reference64 } from '../support/devices.js';
import { checkHalf } from '../support/half.js';
import { checkOp } from '../support/op.js';
import { record } from '../support/record.js';
import { product } from '../support/variant-cases.js';

const size = fc.constantFrom(0, 1, 2, 3, 5, 7, 13, 16, 17, 33, 65);
const problem = fc.record({ M: size, N: size, K: size, bias: fc.boolean() });
const normal = (length: number, seed: number): Float32Array => {
  const rng = new Rng(seed, 'linear');
  return Float32Array.from({ length }, () => rng.normal());
};
/** Kernels of what `fn` does, in order. */
const kernelsOf = (device: GpuBackend, fn: () => unknown): string[] =>
  on(device, () =>
    record(device, [], () => (tidy(() => void fn()), [])).recording.dispatches.map(({ kernel }) => kernel.name),
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

describe('a bias in the store', () => {
  it('is not there where K is split, for batches, and on software', async () => {
    const traits = { ...(await hardware()).traits, parallelGroups: 64 };
    const has = (p: MatmulParams, more = {}) =>
      new Choice(matmulVariants, p, { ...traits, ...more }).bias() !== undefined;
    const p = product([1, 64, 64, 256], [false, true]);
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
