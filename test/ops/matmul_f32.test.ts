import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { triedTraits, variantTables } from '../../src/backend/variants.js';
import { Rng } from '../../src/core/rng.js';
import type { Kernel } from '../../src/gpu/kernel.js';
import { matmul } from '../../src/ops/matmul.js';
import { tryF32 } from '../../src/ops/matmul_matrices.js';
import { type MatmulTools, matmulTools } from '../../src/ops/matmul_parts.js';
import { matmulVariants } from '../../src/ops/matmul_variants.js';
import { withPrecision } from '../../src/ops/precision.js';
import type { MatmulParams } from '../../src/reference/matmul.js';
import { tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference64 } from '../support/devices.js';
import { described } from '../support/dry.js';
import { playMatrices, withPlayedF32 } from '../support/matrices.js';
import { product } from '../support/variant-cases.js';

type Fill = (v: number, row: number, k: number) => number;
const [M, N, K] = [33, 40, 72];
const plain: Fill = (v) => v;

/** a [M, K] and b [N, K] of normal numbers, changed. */
function operands(a: Fill, b: Fill): [Float32Array, Float32Array] {
  const rng = new Rng(5, 'f32');
  const made = (rows: number, f: Fill) =>
    Float32Array.from({ length: rows * K }, (_, i) => f(rng.normal(), Math.floor(i / K), i % K));
  return [made(M, a), made(N, b)];
}

const multiplied = (device: Backend, [a, b]: [Float32Array, Float32Array]): Promise<ArrayLike<number>> =>
  on(device, () =>
    tidy(() => matmul(tensor(a, [M, K]), tensor(b, [N, K]), { transposeB: true, precision: 'f32' })),
  ).data();

const wide: Fill = (v) => Math.sign(v) * Math.exp(4 * v);
const huge = 2 ** 100;
const cases: [string, Fill, Fill][] = [
  ['normal numbers', plain, plain],
  ['small by large', (v) => v / huge, (v) => v * huge],
  ['both small', (v) => v * 2 ** -60, (v) => v * 2 ** -50],
  ['both large', (v) => v * 2 ** 60, (v) => v * 2 ** 55],
  ['many sizes', wide, wide],
  ['one value that no sample has', (v, row, k) => (row === 32 && k === 13 ? v * 2 ** 30 : v), plain],
  ['the same of b', plain, (v, row, k) => (row === 20 && k === 13 ? v * 2 ** 30 : v)],
  ['all but one value 0', (v, row, k) => (row === 7 && k === 9 ? v : 0), plain],
  ['nothing but 0', () => 0, plain],
  ['rows of many sizes', (v, row) => v * 2 ** -row, plain],
];

describe('f32 as the sum of two halves on tensor cores, which threads play', () => {
  // f32 by itself is 1 to 5 times 1e-7 off; without low halves 5e-4
  it.each(cases)('%s: every row is within 2e-6 of its root mean square', async (_, a, b) => {
    const given = operands(a, b);
    const [got, want] = [await multiplied(withPlayedF32(await gpu()), given), await multiplied(reference64, given)];
    for (let i = 0; i < M; i++) {
      const row = Array.from({ length: N }, (_, j) => want[i * N + j]);
      const rms = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0) / N);
      const off = row.map((v, j) => Math.abs(got[i * N + j] - v));
      // what is far below its block's largest value is lost
      const lost = Math.max(...given[0].map(Math.abs)) * Math.max(...given[1].map(Math.abs)) * Math.sqrt(K) * 2 ** -33;
      expect(Math.max(...off), `row ${i}`).toBeLessThanOrEqual(2e-6 * rms + lost);
    }
  });

  it('has no number where an operand has none, and right ones elsewhere', async () => {
    const [a, b] = operands(plain, plain);
    const [A, B] = [[3, 32], [20]]; // rows
    [a[3 * K + 5], a[32 * K + 60], b[20 * K + 71]] = [Infinity, Number.NaN, -Infinity];
    const got = await multiplied(withPlayedF32(await gpu()), [a, b]);
    const want = await multiplied(reference64, [a, b]);
    for (let i = 0; i < M; i++)
      for (let j = 0; j < N; j++) {
        const v = got[i * N + j];
        if (A.includes(i) || B.includes(j)) expect(Number.isFinite(v), `${i}, ${j}: ${v}`).toBe(false);
        else expect(Math.abs(v - want[i * N + j]), `${i}, ${j}`).toBeLessThan(1e-4);
      }
  });

  it('serves f32 alone, in f32-exact not even that', async () => {
    const device = withPlayedF32(await gpu());
    const kernels: string[] = [];
    const real = device.gpu.recorder.dispatch;
    device.gpu.recorder.dispatch = (k: Kernel, ...rest) => (
      kernels.push(k.name), real.call(device.gpu.recorder, k, ...rest)
    );
    const x = on(device, () => tensor(new Float32Array(64), [8, 8]));
    on(device, () =>
      tidy(() => {
        matmul(x, x, { transposeB: true });
        matmul(x, x, { transposeB: true, precision: 'f32-exact' });
        withPrecision('f32-exact', () => matmul(x, x, { transposeB: true }));
      }),
    );
    device.gpu.recorder.dispatch = real;
    expect(kernels.map((name) => /LOW1/.test(name))).toEqual([true, false, false]);
  });
});

describe('which products of f32 are made on tensor cores', () => {
  const { traits } = described['NVIDIA H200'];
  const choice = (p: MatmulParams, t = traits) => matmulVariants.heuristic(p, t);
  it.each<[string, MatmulParams]>([
    ['f32 matrix 128×128', product([1, 4096, 4096, 4096], [false, true])],
    ['f32 matrix 128×128', product([1, 384, 1536, 12608], [true, false])],
    ['f32 matrix 128×64', product([1, 200704, 64, 256], [false, true])],
    ['f32 matrix 64×64', product([1, 1024, 1024, 1024], [false, false])],
    ['tiled 32×32', product([1, 128, 128, 128], [false, false])],
    ['tiled 64×64', product([1, 1020, 1020, 1020], [false, false])],
    ['row', product([1, 8, 4096, 4096], [false, true])],
  ])('%s for %o', (name, p) => {
    expect(choice(p)).toBe(name);
    expect(choice({ ...p, exact: 1 })).toMatch(/^(tiled|row)/);
    expect(choice(p, { ...traits, f32Matrices: undefined })).toMatch(/^(tiled|row)/);
  });
});

describe('the trial as a device opens', () => {
  /** The table's tools, their kernels changed and played. */
  const tools = (change: (code: string) => string = (code) => code): MatmulTools => ({
    ...matmulTools,
    tunedKernels: (file, source) => {
      const make = matmulTools.tunedKernels(file, source);
      return (tuning) => ({ ...make(tuning), code: change(make(tuning).code), name: `${file} ${change}` });
    },
    inBlocks: (block, rows, of) => {
      const { launch } = matmulTools.inBlocks(block, rows, of);
      return { launch: (p, t) => playMatrices(launch(p, t)) };
    },
  });

  it('tells how exact f32 is', async () => {
    const { f32Matrices } = await tryF32(tools(), await gpu(), 128);
    expect(f32Matrices).toBeGreaterThan(0);
    expect(f32Matrices).toBeLessThan(1e-5);
  });

  it.each<[string, (code: string) => string]>([
    [
      'low halves that the compiler took for 0',
      (code) => code.replaceAll(/ \w - highOf\(\w\)|\b\w - highOf\(\w\)/g, 'vec4f()'),
    ],
    ['a scale that is never mended', (code) => code.replace('turn < 2u', 'turn < 1u')],
  ])('shows nothing of %s', async (_, change) => {
    expect(await tryF32(tools(change), await gpu(), 128)).toEqual({});
  });

  it('shows nothing of what is no number', async () => {
    const device = await gpu();
    const blind = Object.assign(Object.create(device), {
      run: () => {},
      read: async ({ length }: { length: number }) => new Float32Array(length).fill(Number.NaN),
    });
    expect(await tryF32(tools(), blind, 128)).toEqual({});
  });

  it('that fails, or that WebGPU refuses, leaves the device as it is', async () => {
    const device = await gpu();
    const part = (trial: () => Promise<object>) => ({ when: () => true, load: async () => [], trial });
    const table = { name: 'tried', variants: [], parts: [] as object[] };
    variantTables.push(table as never);
    try {
      table.parts = [
        part(async () => ({ parallelGroups: 1 })),
        part(async () => Promise.reject(new Error('no'))),
        part(async () => (device.gpu.device.createBuffer({ size: 4, usage: 0 }), { software: false })),
      ];
      expect(await triedTraits(device, device.gpu.device)).toEqual({ parallelGroups: 1 });
      expect(device.gpu.failure.error).toBeUndefined();
    } finally {
      variantTables.splice(variantTables.indexOf(table as never), 1);
    }
  });
});
