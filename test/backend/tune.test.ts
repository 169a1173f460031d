import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { patience } from '../../scripts/speed.mjs';
import { useBackend } from '../../src/backend/backend.js';
import { device } from '../../src/backend/device.js';
import { GpuBackend } from '../../src/backend/gpu.js';
import { tune } from '../../src/backend/tune.js';
import { loadTuning, saveTuning, staleTuning } from '../../src/backend/tuning.node.js';
import { inF16, tuningKey, type VariantTable, variantOf, variantTables } from '../../src/backend/variants.js';
import { Rng } from '../../src/core/rng.js';
import { version } from '../../src/core/version.js';
import type { Traits } from '../../src/gpu/device.js';
import { conv2d } from '../../src/ops/conv2d.js';
import { matmul } from '../../src/ops/matmul.js';
import { sum } from '../../src/ops/reduce.js';
import { reshape } from '../../src/ops/reshape.js';
import { backward } from '../../src/tensor/autograd.js';
import { parameter, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference } from '../support/devices.js';

/** A GPU backend on the tests' device with a table of its own. */
async function withTable(tuned: Record<string, string> = {}, traits: Partial<Traits> = {}): Promise<GpuBackend> {
  const { gpu: g } = await gpu();
  return new GpuBackend({ ...g, traits: { ...g.traits, ...traits, tuned } });
}

const cache = process.env.XDG_CACHE_HOME;
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dawngrad-'));
  process.env.XDG_CACHE_HOME = folder;
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  if (cache === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = cache;
});

describe('tune', () => {
  /** Tables of five classes of these variants alone, each with its milliseconds, while `test` runs. */
  async function withVariants(
    costs: Record<string, number>,
    test: (backend: GpuBackend, clock: { now: number }) => Promise<void>,
    traits: Partial<Traits> = { f16: false },
  ): Promise<void> {
    const backend = await withTable({}, traits);
    const clock = { now: 0, pending: 0 };
    const variants = Object.entries(costs).map(([name, cost]) => ({
      name,
      why: '',
      supports: () => true,
      launch: () => ({ scratch: [], launches: [], cost }),
    }));
    const samples = [1, 2, 3, 4, 5].map((n) => ({
      params: { n, half: 0 },
      buffers: [4, 8],
      ...(n < 4 && { f16: [1] }),
    }));
    const l = {
      name: 'l',
      variants,
      classOf: ({ n, half }: { n: number; half: number }) => `${n}${half ? ' f16' : ''}`,
      heuristic: () => 'usual',
      samples,
    };
    const others = variantTables.splice(0, variantTables.length, l as unknown as VariantTable<never>);
    const spies = [
      vi.spyOn(performance, 'now').mockImplementation(() => clock.now),
      vi
        .spyOn(backend, 'run')
        .mockImplementation(
          (primitive) =>
            void (clock.pending += (
              primitive.gpu(undefined as never, backend.gpu.traits) as unknown as { cost: number }
            ).cost),
        ),
      vi
        .spyOn(backend, 'flush')
        .mockImplementation(() => void ([clock.now, clock.pending] = [clock.now + clock.pending, 0])),
    ];
    try {
      await test(backend, clock);
    } finally {
      for (const spy of spies) spy.mockRestore();
      variantTables.splice(0, variantTables.length, ...others);
    }
  }

  it('times every variant, takes the fastest, and starts no turn that may not end in time', async () => {
    await withVariants({ usual: 10, slow: 40, fast: 5 }, async (backend, clock) => {
      // A class takes two turns of all and three of the faster two, 155 ms: the fourth's last starts at 605, and is
      // trusted to take no longer than the slow one.
      expect(await tune(backend, 620)).toEqual({ 'l 1': 'fast', 'l 2': 'fast', 'l 3': 'fast' });
      expect(clock.now).toBeLessThanOrEqual(620);
      clock.now = 0;
      expect(await tune(backend, 480)).toEqual({ 'l 1': 'fast', 'l 2': 'fast' });
      expect(clock.now).toBeLessThanOrEqual(480);
    });
  });

  it('times classes in f16 where the adapter has it, in memory that holds it, after the same in f32', async () => {
    const keys: string[] = [];
    const told = ({ key }: { key: string }) => void keys.push(key);
    await withVariants(
      { usual: 10, fast: 5 },
      async (backend) => {
        const alloc = vi.spyOn(backend, 'alloc');
        expect(Object.values(await tune(backend, 400, told))).toEqual(['fast', 'fast', 'fast', 'fast', 'fast']);
        expect(alloc.mock.calls.slice(0, 4)).toEqual([
          ['f32', 4],
          ['f32', 8],
          ['f32', 4],
          ['f16', 8],
        ]);
      },
      { f16: true },
    );
    expect(keys).toEqual(['l 1', 'l 1 f16', 'l 2', 'l 2 f16', 'l 3']);
    await withVariants({ usual: 10, fast: 5 }, async (backend) => void (await tune(backend, 1000, told)));
    expect(keys.slice(5)).toEqual(['l 1', 'l 2', 'l 3', 'l 4', 'l 5']);
  });

  it('keeps the heuristic where another is hardly faster, and times nothing where there is no other', async () => {
    const shown: object[] = [];
    await withVariants(
      { close: 9.8, usual: 10 },
      async (backend) => void (await tune(backend, 110, (m) => shown.push(m))),
    );
    expect(shown).toEqual([{ key: 'l 1', variant: 'usual', heuristic: 'usual', speedup: 1 }]);
    await withVariants({ usual: 10 }, async (backend, clock) =>
      expect([await tune(backend, 60), clock.now]).toEqual([{}, 0]),
    );
  });

  it.each([
    ['a driver that compiles for too long', () => new Promise<void>(() => {})],
    ['a pipeline that the driver refuses', () => Promise.reject(new Error('no such instruction'))],
  ])('leaves out what waits for %s', async (_, prepare) => {
    const start = performance.now();
    await withVariants({ usual: 10, other: 5 }, async (backend) => {
      const slow = vi.spyOn(backend.gpu.recorder.pipelines, 'prepare').mockImplementation(prepare);
      expect(await tune(backend, 50)).toEqual({});
      slow.mockRestore();
    });
    expect(performance.now() - start).toBeLessThan(patience(1000));
  });

  it('uses what it measures, and saves it for the adapter', async () => {
    const backend = await withTable();
    const table = await tune(backend, 1000);
    for (const [key, variant] of Object.entries(table)) {
      const [l, { params }] = variantTables
        .flatMap((x) => x.samples.flatMap((s) => [s, inF16(s)]).map((s) => [x, s] as const))
        .find(([x, s]) => tuningKey(x, s.params) === key)!;
      expect(variantOf(l, params, backend.gpu.traits).name, key).toBe(variant);
    }
    expect(backend.gpu.traits.tuned).toEqual(table);
    expect(await loadTuning(backend.name)).toEqual(table);
  });

  it('starts nothing when there is no time, and needs a GPU', async () => {
    expect(await tune(await withTable(), 0)).toEqual({});
    await expect(tune(reference)).rejects.toThrow(
      "tune: the backend must be a GPU's; got reference (f32). Open one with device().",
    );
  });

  it('`device` finds the saved table; tables of adapters and of later measurements are merged', async () => {
    const { name } = await gpu();
    await saveTuning(name, { 'matmul NN small': 'direct', 'conv2d a': 'subgroup' });
    await saveTuning('another', { 'matmul NN small': 'row' });
    await saveTuning(name, { 'conv2d a': 'direct' });
    const table = { 'matmul NN small': 'direct', 'conv2d a': 'direct' };
    expect(JSON.parse(readFileSync(join(folder, 'dawngrad', 'tuning.json'), 'utf8'))).toEqual({
      [name]: { version, variants: table },
      another: { version, variants: { 'matmul NN small': 'row' } },
    });
    const opened = (await device()) as GpuBackend;
    useBackend(undefined);
    expect(opened.gpu.traits.tuned).toEqual(table);
  });

  it('a table of another version is passed over, told of, and replaced; so is what is no table', async () => {
    const { name } = await gpu();
    await saveTuning(name, {});
    const file = join(folder, 'dawngrad', 'tuning.json');
    for (const [saved, stale] of [
      [{ version: '0.0.9', variants: { a: 'b' } }, '0.0.9'],
      [{ a: 'b' }, 'of an earlier version'],
      [null, undefined],
      [{ version, variants: null }, undefined],
    ] as const) {
      writeFileSync(file, JSON.stringify({ [name]: saved, another: { version, variants: { c: 'd' } } }));
      expect([await loadTuning(name), await staleTuning(name), await loadTuning('another')]).toEqual([
        {},
        stale,
        { c: 'd' },
      ]);
      const opened = (await device()) as GpuBackend;
      useBackend(undefined);
      expect(opened.gpu.traits.tuned).toEqual({});
    }
    for (const text of ['null', '"x"', '[', '{']) {
      writeFileSync(file, text);
      expect([await loadTuning(name), await staleTuning(name)]).toEqual([{}, undefined]);
    }
    await saveTuning(name, { e: 'f' });
    expect([await loadTuning(name), await staleTuning(name)]).toEqual([{ e: 'f' }, undefined]);
  });

  it('knows the version of the package', () =>
    expect(JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')).version).toBe(version));

  it('the same table gives the same bits, on another backend too', async () => {
    const table = {
      'matmul NN small': 'direct',
      'conv2d 3×3/1 small→medium': 'direct',
      'conv2d_dw 3×3/1 small→medium': 'small channel',
    };
    const bits = async (backend: GpuBackend) => {
      const values = on(backend, () =>
        tidy(() => {
          const rng = new Rng(7, 'tune');
          const normal = (shape: number[]) =>
            parameter(
              tensor(
                Array.from({ length: shape.reduce((a, b) => a * b) }, () => rng.normal()),
                shape,
              ),
            );
          const [x, w, v] = [normal([2, 9, 9, 3]), normal([8, 3, 3, 3]), normal([8, 5])];
          const y = matmul(reshape(conv2d(x, w, { padding: 1 }), [-1, 8]), v);
          backward(sum(y));
          return [y, x.grad!, w.grad!, v.grad!].map((t) => t.data());
        }),
      );
      return (await Promise.all(values)).map((d) => Array.from(d as Float32Array));
    };
    const first = await bits(await withTable(table));
    expect(await bits(await withTable({ ...table }))).toEqual(first);
    expect(first.every((values) => values.some((x) => x !== 0))).toBe(true);
  });
});
