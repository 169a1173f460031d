import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backward } from '../../src/autograd.js';
import type { Backend } from '../../src/backend/backend.js';
import type { TypedArray } from '../../src/core/dtype.js';
import type { GpuBackend } from '../../src/backend/gpu.js';
import { compile } from '../../src/compile.js';
import { Rng } from '../../src/core/rng.js';
import { BatchNorm } from '../../src/nn/batch_norm.js';
import { Conv2d } from '../../src/nn/conv2d.js';
import { ResNet } from '../../src/nn/resnet.js';
import { batchNorm, type BatchNormOptions } from '../../src/ops/batch_norm.js';
import { mul } from '../../src/ops/binary.js';
import { conv2d, conv2dParams, conv2dStatsPrimitive, type StatisticsWish } from '../../src/ops/conv2d.js';
import { product } from '../../src/ops/conv2d_parts.js';
import { conv2dLadder } from '../../src/ops/conv2d_rungs.js';
import { matmulRungs } from '../../src/ops/matmul_rungs.js';
import { sum } from '../../src/ops/reduce.js';
import { conv2d as conv2dMirror, matmul as matmulMirror, tileStats } from '../../src/reference/index.js';
import { step } from '../../src/step.js';
import { empty, run, type Tensor, tensor } from '../../src/tensor.js';
import { gpu, hardware, on, reference64 } from '../support/devices.js';
import { assertClose } from '../support/op.js';

const normal = (n: number, seed: number, offset = 0): Float32Array => {
  const rng = new Rng(seed, 'stats');
  return Float32Array.from({ length: n }, () => offset + rng.normal());
};
const size = (...shape: number[]) => shape.reduce((a, b) => a * b, 1);
const values = (...tensors: Tensor[]) => Promise.all(tensors.map(async (t) => Float64Array.from(await t.data())));

/** What tiles of `tile` rows of y have, in double precision. */
function exactly(y: Float64Array, columns: number, tile: number): [Float64Array, Float64Array] {
  const tiles = Math.ceil(y.length / columns / tile);
  const [mean, m2] = [new Float64Array(tiles * columns), new Float64Array(tiles * columns)];
  tileStats([y, mean, m2] as TypedArray[], { C: columns, tile });
  return [mean, m2];
}

/** [N, H, W, C, O, R and S, stride, groups]: pixels that fill no tile, one and several, channels that fill none and more than one. */
const convolutions = [[1, 5, 3, 4, 4, 3, 1, 1], [3, 9, 7, 8, 200, 1, 1, 1], [2, 16, 9, 24, 72, 3, 2, 2], [2, 12, 12, 3, 12, 5, 1, 1], [1, 16, 16, 8, 132, 1, 2, 1]];

/** Rungs of both ladders with what a problem of theirs is, its factors' sizes, and the mirror. */
const rungs = [
  ...conv2dLadder.rungs.map((rung) => ({ rung, name: `conv2d ${rung.name}`, problems: convolutions.map(([N, H, W, C, O, R, stride, groups]) => {
    const p = conv2dParams({ rank: 4, shape: [N, H, W, C] } as Tensor, { rank: 4, shape: [O, R, R, C / groups] } as Tensor, { stride, groups, padding: R >> 1 });
    return { p, rows: N * p.P * p.Q, columns: O, sizes: [size(N, H, W, C), size(O, R, R, C / groups)], mirror: (b: TypedArray[]) => conv2dMirror(b, p) };
  }) })),
  ...matmulRungs.map((rung) => ({ rung, name: `matmul ${rung.name}`, problems: [[7, 4, 9], [130, 200, 20], [64, 36, 64], [300, 68, 8]].map(([M, N, K]) => {
    const p = product(M, N, K, { bT: true, half: / f16$/.test(rung.name) ? 1 : 0 });
    return { p, rows: M, columns: N, sizes: [M * K, N * K], mirror: (b: TypedArray[]) => matmulMirror(b, p) };
  }) })),
].filter(({ rung }) => rung.statistics);

describe('statistics in the epilogue of', () => {
  it.each(rungs)('$name are those of what it wrote, far from 0 too', async ({ rung, problems }) => {
    const device = await gpu();
    const traits = { ...device.traits, software: false, parallelGroups: 1 };
    let checked = 0;
    for (const [i, { p, rows, columns, sizes, mirror }] of problems.entries()) {
      const made = rung.fits(p as never, traits) ? rung.statistics!(p as never, traits) : undefined;
      if (!made) continue;
      const [a, b] = [normal(sizes[0], i, i % 2 ? 1000 : 0), normal(sizes[1], i + 9)];
      const tiles = Math.ceil(rows / made.rows);
      const [y, mean, m2] = await on(device, () => step(() => {
        const out = [empty([rows, columns]), empty([tiles, columns]), empty([tiles, columns])];
        run({ name: 'conv2d_stats', mirror: () => {}, gpu: () => made.launch }, [tensor(a), tensor(b)], out, {});
        return values(...out);
      }));
      const exact = new Float64Array(rows * columns);
      mirror([Float64Array.from(a), Float64Array.from(b), exact]);
      assertClose('y', y, exact, / f16$/.test(rung.name) ? { relative: 2 ** -9 } : {});
      const want = exactly(y, columns, made.rows);
      assertClose('means', mean, want[0], { relative: 1e-6 });
      assertClose('squares', m2, want[1], { relative: 3e-6 });
      checked++;
    }
    expect(checked).toBeGreaterThan(/f16/.test(rung.name) && !device.f16 ? -1 : 2);
  });
});

/** A convolution with tiles for its statistics, and its batch norm. */
const cases = fc.record({
  N: fc.constantFrom(1, 2, 8), side: fc.constantFrom(8, 13, 16), C: fc.constantFrom(3, 16, 20), O: fc.constantFrom(16, 36, 72), R: fc.constantFrom(1, 3),
  stride: fc.constantFrom(1, 2), splits: fc.constantFrom(1, 2, 8), offset: fc.constantFrom(0, 100),
}).filter(({ N, splits }) => N % splits === 0);

describe('batch norm after a convolution that took the statistics', () => {
  it('has the mean and variance of every split of y; where a tile would hold two samples it reads y', async () => {
    const device = await hardware();
    const seen = new Set<string>();
    await fc.assert(fc.asyncProperty(cases, fc.nat(99), async ({ N, side, C, O, R, stride, splits, offset }, seed) => {
      const norm = (y: Tensor, more: Partial<BatchNormOptions>) => {
        const running = { runningMean: tensor(normal(O, 3)), runningVar: tensor(normal(O, 4, 9)) };
        return [batchNorm(y, { ...running, train: true, splits, ...more }), ...Object.values(running)];
      };
      const wish: StatisticsWish = { splits };
      const [y, ...got] = await on(device, () => step(() => {
        const y = conv2d(tensor(normal(size(N, side, side, C), seed, offset), [N, side, side, C]), tensor(normal(size(O, R, R, C), seed + 1), [O, R, R, C]), { stride, padding: R >> 1 }, wish);
        return values(y, ...norm(y, { statistics: wish.tiles }));
      }));
      const L = y.length / N / O;
      expect(wish.tiles !== undefined, `${L} pixels`).toBe(splits === 1 || L % 64 === 0);
      seen.add(`${splits > 1} ${wish.tiles?.rows}`);
      const want = await on(reference64, () => step(() => values(...norm(tensor(y, [N, L, O]), {}))));
      got.forEach((v, i) => assertClose(['y', 'running mean', 'running variance'][i], v, want[i]));
    }), { numRuns: 25 });
    expect([...seen].sort()).toEqual(['false 32', 'false 64', 'true 64', 'true undefined'].filter((s) => seen.has(s)));
    expect(seen.size).toBeGreaterThan(2);
  });
});

void [backward, compile, BatchNorm, Conv2d, ResNet, mul, sum, conv2dStatsPrimitive];
type X = [Backend, GpuBackend];
export type Y = X;
