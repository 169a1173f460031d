import { describe, expect, it } from 'vitest';
import type { Launch, Plan } from '../../src/backend/backend.js';
import type { GpuBackend } from '../../src/backend/gpu.js';
import { type Variant, variantTables } from '../../src/backend/variants.js';
import type { DType, TypedArray } from '../../src/core/dtype.js';
import { Rng } from '../../src/core/rng.js';
import type { Traits } from '../../src/gpu/device.js';
import { tileStats } from '../../src/reference/tile_stats.js';
import { run } from '../../src/tensor/run.js';
import { empty, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference64 } from '../support/devices.js';
import { playMatrices, withMatrices } from '../support/matrices.js';
import { assertClose } from '../support/op.js';
import { type VariantCase, variantCases } from '../support/variant-cases.js';
import { workgroupOf } from '../support/workgroup.js';

interface Row extends VariantCase {
  readonly variant: Variant<never>;
  /** Whether it needs tensor cores, and so serves f16 alone or f32 alone. */
  readonly matrices: boolean;
}

/** A graphics card without f16, with subgroups that kernels for software ask for. */
const card = (workgroupMemory = 32768): Traits => ({
  software: false,
  parallelGroups: 16,
  f16: false,
  subgroup: 4,
  subgroupMatrix: false,
  workgroupMemory,
  tuned: {},
});

const rows = variantCases.flatMap((of) =>
  of.table.variants.map((variant): [string, Row] => {
    const matrices = !of.problems.some((p) => variant.supports(p, card(of.workgroupMemory)));
    return [`${of.table.name} ${variant.name}`, { ...of, variant, matrices }];
  }),
);

const traitsOf = ({ traits }: GpuBackend, { matrices, workgroupMemory = traits.workgroupMemory }: Row): Traits =>
  matrices ? withMatrices(traits) : { ...traits, software: false, parallelGroups: 16, workgroupMemory };

/** Whether an adapter can play it: without f16 where its tiles are words, and where they fit. */
function isPlayable(made: Launch | Plan, { f16, traits }: GpuBackend): boolean {
  const played = playMatrices(made);
  return ('launches' in played ? played.launches : [played]).every(
    ({ kernel, constants = {} }) =>
      (f16 || !kernel.code.includes('enable f16;')) && workgroupOf(kernel, constants).bytes <= traits.workgroupMemory,
  );
}

/**
 * The problems that a variant supports here; none where the adapter lacks f16, or subgroups of one size. What
 * differs from another kernel by a constant, and takes SwiftShader seconds to compile, runs on Mesa.
 */
function supported(name: string, row: Row, device: GpuBackend, slow: RegExp): readonly never[] {
  if (device.traits.subgroup === 4 && slow.test(name)) return [];
  const tried = row.matrices
    ? (row.f16 ?? []).flatMap((p) => [p, { ...(p as object), half: 0 } as never])
    : row.problems;
  const traits = traitsOf(device, row);
  const problems = tried.filter((p) => row.variant.supports(p, traits));
  if (problems.length === 0) expect(device.traits.subgroup, `${name} supports no problem`).toBe(0);
  const here = row.matrices ? problems.filter((p) => isPlayable(row.variant.launch(p, traits), device)) : problems;
  return triedOf(name, here, device.traits.subgroup === 4);
}

/**
 * Each block is the same text by other constants, and takes up to minutes to compile: the smallest has all problems,
 * others some. Mesa, which has f16, has f16 on tensor cores by the smallest blocks, and one problem of the others.
 */
function triedOf(name: string, problems: readonly never[], isSwift: boolean): readonly never[] {
  const [, table, kind, block] = /^(\w+) (tiled|(?:f32 )?matrix|small channel) (\S+)$/.exec(name) ?? [];
  const at = ['32×32', '64×64', '128×64', '128×128', '128×128×64'].indexOf(block);
  const few = (count: number) => problems.slice(0, count);
  if (!block) return problems;
  if (!isSwift) {
    if (kind === 'f32 matrix') return [];
    if (kind === 'tiled') return few(Number(at === 0 && table === 'matmul'));
    if (kind === 'small channel') return block === 'tiled' ? [] : problems.slice(-2, -1);
    if (table === 'matmul') return at === 0 ? problems : [];
    return few(Number(at === 1));
  }
  if (/^conv2d/.test(table)) {
    if (kind === 'tiled') return few(at === 0 ? Infinity : 2);
    if (kind === 'small channel') return block === 'tiled' ? problems : problems.slice(-1);
    return few(Number(at === 1));
  }
  if (kind === 'tiled') return few(at === 0 ? 9 : 4);
  return problems.slice(1 + at, 2 + at);
}

it('blocks are dealt to threads without rest, whatever the steps', () => {
  const traits = withMatrices(card());
  const made = variantCases
    .filter(({ table }) => /^(matmul|conv2d)/.test(table.name))
    .flatMap(({ table, f16 = [] }) =>
      table.variants.flatMap((v) =>
        f16.filter((p) => /matrix/.test(v.name) && v.supports(p, traits)).map((p) => v.launch(p, traits)),
      ),
    );
  expect(made.length).toBeGreaterThan(40);
  for (const one of made) {
    const { kernel } = 'launches' in one ? one.launches[0] : one;
    const { HEIGHT, WIDTH, DEEP, TALL, WIDE, SLICES, A_LOADS, B_LOADS } = kernel.tuning;
    const { threads, bytes } = workgroupOf(kernel, {});
    expect([HEIGHT, WIDTH, DEEP].map((n) => n % 16)).toEqual([0, 0, 0]);
    expect([HEIGHT % (16 * TALL), WIDTH % (16 * WIDE), DEEP - 16 * SLICES]).toEqual([0, 0, 0]);
    expect(threads).toBe((32 * HEIGHT * WIDTH) / (256 * TALL * WIDE));
    expect([A_LOADS, B_LOADS].map((n) => 8 * threads * n)).toEqual([HEIGHT * DEEP, WIDTH * DEEP]);
    expect(bytes).toBeLessThanOrEqual(traits.workgroupMemory);
  }
});

/** Numbers that are exact in f16 too, and the same in every run; `far` from 0. */
function normal(length: number, seed: number, far = 0): Float64Array {
  const rng = new Rng(seed, 'variants');
  return Float64Array.from({ length }, () => far + Math.round(256 * rng.normal()) / 256);
}

function inputsOf({ sizes, inputs, prepare }: VariantCase, p: never, far = 0): Float64Array[] {
  const made = sizes(p)
    .slice(0, inputs)
    .map((length, i) => normal(length, i + length, i === 0 ? far : 0));
  prepare?.(p, made as unknown as TypedArray[]);
  return made;
}

/** What a launch writes to outputs of these lengths and types. */
async function computed(
  device: GpuBackend,
  { primitive }: VariantCase,
  launch: Launch | Plan,
  inputs: readonly Float64Array[],
  outputs: readonly (readonly [number, DType])[],
  stored: DType = 'f32',
): Promise<Float64Array[]> {
  const read = on(device, () =>
    tidy(() => {
      const made = outputs.map(([length, dtype]) => empty([length], dtype));
      run(
        { ...primitive, gpu: () => playMatrices(launch) },
        inputs.map((v) => tensor(Array.from(v), [v.length], stored)),
        made,
        {} as never,
      );
      return made.map((y) => y.data());
    }),
  );
  return (await Promise.all(read)).map((d) => Float64Array.from(d as Float32Array));
}

async function mirrored({ primitive, sizes }: VariantCase, p: never, inputs: readonly Float64Array[]) {
  const read = on(reference64, () =>
    tidy(() => {
      const outputs = sizes(p)
        .slice(inputs.length)
        .map((length) => empty([length]));
      run(
        primitive,
        inputs.map((v) => tensor(Array.from(v))),
        outputs,
        p,
      );
      return outputs.map((y) => y.data());
    }),
  );
  return Promise.all(read);
}

it('every table has problems here', () =>
  expect(variantCases.map(({ table }) => table)).toEqual(expect.arrayContaining([...variantTables])));

describe('a variant equals the mirror', () => {
  it.each(rows)('%s', async (name, row) => {
    const device = await gpu();
    for (const p of supported(name, row, device, /(tiled|matrix) 128|tiled 64|matmul (f32 )?matrix 64/))
      for (const parallelGroups of row.parallelGroups ?? [traitsOf(device, row).parallelGroups]) {
        const inputs = inputsOf(row, p);
        const lengths = row.sizes(p).slice(row.inputs);
        const launch = row.variant.launch(p, { ...traitsOf(device, row), parallelGroups });
        const got = await computed(
          device,
          row,
          launch,
          inputs,
          lengths.map((length) => [length, 'f32']),
        );
        const want = await mirrored(row, p, inputs);
        const isHalf = (p as { half?: number }).half === 1;
        const within = isHalf && row.rounding ? { relative: row.rounding } : {};
        want.forEach((w, i) => assertClose(`${JSON.stringify(p)} ${i}`, got[i], w, within));
        if (!device.f16 || !row.matrices || !row.columns) continue;
        const [stored] = await computed(device, row, launch, inputs, [[lengths[0], 'f16']], 'f16');
        assertClose(`${JSON.stringify(p)}, stored as f16`, stored, want[0], { relative: 2 ** -11 });
      }
  });
});

describe('a bias in the epilogue is what follows the product: to the bit in f32, rounded once in f16', () => {
  it.each(rows.filter(([, { variant }]) => variant.epilogue?.bias))('%s', async (name, row) => {
    const device = await gpu();
    const traits = { ...traitsOf(device, row), parallelGroups: 1 };
    const fused = (p: never) => row.variant.epilogue!.bias!(p, traits);
    const problems = supported(name, row, device, /matmul (tiled (128|64)|.*matrix)/).filter((p) => fused(p));
    for (const p of problems) {
      const [inputs, columns, [length]] = [inputsOf(row, p), row.columns!(p), row.sizes(p).slice(row.inputs)];
      const bias = normal(columns, columns + 7);
      const half = (p as { half: 0 | 1 }).half === 1;
      const [got] = await computed(
        device,
        row,
        fused(p)!,
        [...inputs, bias],
        [[length, half && device.f16 ? 'f16' : 'f32']],
      );
      const [apart] = await computed(device, row, row.variant.launch(p, traits), inputs, [[length, 'f32']]);
      const want = apart.map((v, i) => Math.fround(v + bias[i % columns]));
      if (half) assertClose(JSON.stringify(p), got, want, { relative: 2 ** -10 });
      else expect(got, JSON.stringify(p)).toEqual(want);
    }
    expect(problems.length).toBeGreaterThanOrEqual(
      Math.min(2, supported(name, row, device, /matmul (tiled (128|64)|.*matrix)/).length),
    );
  });
});

/** What tiles of `rows` rows of y have, in double precision. */
function statisticsOf(y: Float64Array, columns: number, rows: number): [Float64Array, Float64Array] {
  const tiles = Math.ceil(y.length / columns / rows);
  const [mean, m2] = [new Float64Array(tiles * columns), new Float64Array(tiles * columns)];
  tileStats([y, mean, m2] as unknown as TypedArray[], { C: columns, tile: rows });
  return [mean, m2];
}

describe('statistics in the epilogue are those of what was stored, far from 0 too', () => {
  // of `product` they are the matrix product's: conv2d_stats.test.ts
  it.each(rows.filter(([, { variant }]) => variant.epilogue?.statistics && variant.name !== 'product'))(
    '%s',
    async (name, row) => {
      const device = await gpu();
      const traits = { ...traitsOf(device, row), parallelGroups: 1 };
      const problems = supported(name, row, device, / tiled (128|64×)|(matmul|conv2d) (f32 )?matrix/);
      let taken = 0;
      for (const [i, p] of problems.entries()) {
        const made = row.variant.epilogue!.statistics!(p, traits);
        if (!made) continue;
        taken++;
        const half = (p as { half?: 0 | 1 }).half === 1;
        const [columns, [length]] = [row.columns!(p), row.sizes(p).slice(row.inputs)];
        const room = Math.ceil(length / columns / made.rows) * columns;
        const inputs = inputsOf(row, p, i % 2 ? (half ? 100 : 1000) : 0);
        const outputs = [
          [length, half && device.f16 ? 'f16' : 'f32'],
          [room, 'f32'],
          [room, 'f32'],
        ] as const;
        const [y, mean, m2] = await computed(device, row, made.launch, inputs, outputs);
        assertClose('y', y, (await mirrored(row, p, inputs))[0], half ? { relative: 2 ** -9 } : {});
        const want = statisticsOf(y, columns, made.rows);
        assertClose('means', mean, want[0], { relative: 1e-6 });
        assertClose('squares', m2, want[1], { relative: 3e-6 });
      }
      expect(taken).toBeGreaterThanOrEqual(Math.min(2, problems.length));
    },
  );
});
