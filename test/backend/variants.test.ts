import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Launch, Plan } from '../../src/backend/backend.js';
import { loadVariants, type VariantTable, variantOf, variantTable, variantTables } from '../../src/backend/variants.js';
import type { Traits } from '../../src/gpu/device.js';
import { attentionGradPrimitive, attentionPrimitive } from '../../src/ops/attention.js';
import { conv2d, conv2dDwPrimitive, conv2dDxPrimitive, conv2dPrimitive } from '../../src/ops/conv2d.js';
import { infoNce, infoNcePrimitive } from '../../src/ops/info_nce.js';
import { linear } from '../../src/ops/linear.js';
import { matmul, matmulPrimitive } from '../../src/ops/matmul.js';
import { empty } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { fixtures, problems } from '../support/choices.js';
import { on, reference } from '../support/devices.js';
import { dry, usual } from '../support/dry.js';

const launchesOf = (made: Launch | Plan): readonly Launch[] => ('launches' in made ? made.launches : [made]);

/** Every variant with what it launches, plain and with an epilogue, for 30 problems on every fixture. */
const rows = variantTables.flatMap((table) =>
  table.variants.map((variant) => ({
    table: table.name,
    name: variant.name,
    made: fixtures.flatMap((traits) =>
      (problems[table.name].slice(0, 30) as never[])
        .filter((p) => variant.supports(p, traits))
        .map((p) => {
          const { bias, statistics } = variant.epilogue ?? {};
          const fused = [bias?.(p, traits), statistics?.(p, traits)?.launch];
          return { p, plans: [variant.launch(p, traits), ...fused.flatMap((launch) => launch ?? [])].map(launchesOf) };
        }),
    ),
  })),
);

describe('a row', () => {
  it('says what it is for in a sentence, and the figure that showed it, or that there is none', () => {
    for (const { name: table, variants } of variantTables) {
      const vague = variants.filter(({ why }) => !/\d.* on (SwiftShader|an H200)|measured/.test(why));
      expect(
        vague.map(({ why }) => why),
        table,
      ).toEqual([]);
      expect(new Set(variants.map((v) => v.name)).size, table).toBe(variants.length);
    }
  });

  it('is named as its kernel file, and every kernel file has a row', () => {
    const bases: Record<string, string[]> = { attention_grad: ['attention_dq', 'attention_dkv'] };
    /** The rows whose kernel is another row's, by other constants, or another table's. */
    const borrowed: Record<string, RegExp> = { row: /^matmul$/, column: /^matmul$/, product: /^matmul/ };
    const seen = new Set<string>();
    for (const { table, name, made } of rows) {
      const words = name.replace(/ [\d×]+$|^f32 /g, '').replaceAll(' ', '_'); // f32 is a constant of the kernel for f16
      const named = (bases[table] ?? [table]).map((base) => (name === 'direct' ? base : `${base}_${words}`));
      const files = made.flatMap(({ plans }) => plans.flat().filter(({ flops }) => flops !== undefined));
      expect(files.length, `${table} ${name}`).toBeGreaterThan(0);
      for (const file of files.map(({ kernel }) => kernel.file)) {
        seen.add(file);
        expect(borrowed[name] ? [file.match(borrowed[name])?.[0] && file] : named, `${table} ${name}`).toContain(file);
      }
    }
    const kernels = readdirSync(join(import.meta.dirname, '../../kernels')).map((f) => f.replace('.wgsl', ''));
    const parts = /^(info_nce_(combine|weights)|attention_delta)/; // what others begin or end with
    const ofTables = kernels.filter((f) => /^(matmul|conv2d|attention|info_nce)/.test(f) && !parts.test(f));
    expect([...seen].sort()).toEqual(ofTables.sort());
  });

  it('launches carry the operations of the whole, once', () => {
    const primitives = [
      matmulPrimitive,
      conv2dPrimitive,
      conv2dDxPrimitive,
      conv2dDwPrimitive,
      attentionPrimitive,
      attentionGradPrimitive,
      infoNcePrimitive,
    ];
    for (const { table, name, made } of rows) {
      const { flops } = primitives.find((p) => p.name === table)!;
      for (const { p, plans } of made)
        for (const launches of plans)
          expect(
            launches.reduce((n, l) => n + (l.flops ?? 0), 0),
            `${table} ${name}`,
          ).toBe(flops!(p));
    }
  });
});

describe('a call', () => {
  const [card] = usual.filter(({ subgroupMatrix }) => subgroupMatrix);
  const [x, w] = [
    [2, 16, 16, 64],
    [64, 1, 1, 64],
  ];
  it.each<[string, () => unknown, Record<string, number>]>([
    ['matmul', () => matmul(empty([64, 64]), empty([64, 64])), { matmul: 1 }],
    ['linear', () => linear(empty([64, 64]), empty([64, 64]), empty([64])), { matmul: 1 }],
    ['linear of a batch', () => linear(empty([3, 64, 64]), empty([64, 64]), empty([64])), { matmul: 1 }],
    ['conv2d', () => conv2d(empty([2, 16, 16, 3]), empty([64, 3, 3, 3])), { conv2d: 1 }],
    ['conv2d with statistics', () => conv2d(empty(x), empty([64, 3, 3, 64]), {}, { splits: 1 }), { conv2d: 1 }],
    [
      'conv2d as a product, with statistics',
      () => conv2d(empty(x), empty(w), {}, { splits: 1 }),
      { conv2d: 1, matmul: 1 },
    ],
    ['infoNce', () => infoNce(empty([4, 8]), empty([4, 8]), empty([9, 8]), 1), { info_nce: 1 }],
  ])('of %s looks its variant up once', (_, call, times) => {
    for (const traits of [usual[0], card]) {
      const spies = variantTables.map((table) => [table.name, vi.spyOn(table, 'classOf')] as const);
      on(dry(traits), () => tidy(() => void call()));
      expect(
        Object.fromEntries(
          spies.flatMap(([name, spy]) => (spy.mock.calls.length ? [[name, spy.mock.calls.length]] : [])),
        ),
      ).toEqual(times);
      for (const [, spy] of spies) spy.mockRestore();
    }
  });

  it('on the reference backend asks no table', () => {
    const spies = variantTables.map((table) => vi.spyOn(table, 'heuristic'));
    on(reference, () => tidy(() => void linear(empty([3, 4]), empty([5, 4]), empty([5]))));
    for (const spy of spies) {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    }
  });
});

describe('parts of a table', () => {
  const row = <N extends string>(name: N) => ({
    name,
    why: '',
    supports: () => true,
    launch: () => ({ scratch: [], launches: [] }),
  });
  const card = { software: false, tuned: {} } as unknown as Traits;
  const chosen = (table: VariantTable<number>) => variantOf(table, 1, card).name;
  let answer: () => Promise<readonly ReturnType<typeof row>[]>;
  const made = () => {
    const parts = [
      { when: (t: Traits) => t.software, load: () => Promise.resolve([row('soft')]) },
      { when: (t: Traits) => !t.software, load: vi.fn(() => answer()) },
    ];
    const table: VariantTable<number> = {
      ...{ name: 'parted', classOf: String, samples: [], heuristic: () => 'fast' },
      ...{ variants: [row('plain')], parts },
    };
    variantTables.push(table as unknown as VariantTable<never>);
    return { table, load: parts[1].load };
  };
  afterEach(() => void variantTables.pop());

  it('are loaded once, those that an adapter needs; until then the first variant serves', async () => {
    const { table, load } = made();
    answer = () => Promise.resolve([row('fast'), row('faster')]);
    expect(chosen(table)).toBe('plain');
    await Promise.all([loadVariants(card), loadVariants(card)]);
    await loadVariants(card);
    expect([chosen(table), table.variants.map((v) => v.name)]).toEqual(['fast', ['plain', 'fast', 'faster']]);
    expect(load).toHaveBeenCalledTimes(1);
    await loadVariants();
    expect(table.variants.map((v) => v.name)).toEqual(['plain', 'fast', 'faster', 'soft']);
  });

  it('that cannot be loaded are an error of the device, and are asked for again', async () => {
    const { table } = made();
    answer = () => Promise.reject(new TypeError('Failed to fetch'));
    await expect(loadVariants(card)).rejects.toThrow(
      'device: kernels for the adapter must be loaded; got Failed to fetch. Try again.',
    );
    answer = () => Promise.resolve([row('fast')]);
    await loadVariants(card);
    expect(chosen(table)).toBe('fast');
  });

  it('make the heuristic a fault that names none of them, once all are there', async () => {
    const { table } = made();
    answer = () => Promise.resolve([row('other')]);
    await loadVariants();
    expect(() => chosen(table)).toThrow(
      "variants of parted: the heuristic's must support the problem; got fast for 1.",
    );
  });
});

describe('a table of variants', () => {
  const nothing = () => ({ scratch: [], launches: [] });
  const variants = [
    { name: 'plain', why: '', supports: () => true, launch: nothing },
    { name: 'even', why: '', supports: (n: number) => n % 2 === 0, launch: nothing },
    { name: 'large', why: '', supports: (n: number) => n > 9, launch: nothing },
  ];
  const l: VariantTable<number> = {
    name: 'l',
    variants,
    classOf: (n) => (n < 5 ? 'small' : 'big'),
    heuristic: (n) => (n > 9 ? 'large' : 'plain'),
    samples: [],
  };
  const chosen = (n: number, tuned: Record<string, string> = {}) => variantOf(l, n, { tuned } as Traits).name;

  it('takes what was measured if that supports the problem, else the heuristic', () => {
    expect([chosen(12), chosen(6)]).toEqual(['large', 'plain']);
    expect([chosen(12, { 'l big': 'even' }), chosen(13, { 'l big': 'even' }), chosen(4, { 'l big': 'even' })]).toEqual([
      'even',
      'large',
      'plain',
    ]);
    expect(chosen(12, { 'l big': 'of another version' })).toBe('large');
  });

  it('refuses a heuristic that names what does not support the problem, or no variant', () => {
    const choosing = (heuristic: string) => () =>
      variantOf({ ...l, heuristic: () => heuristic }, 6, { tuned: {} } as Traits);
    expect(choosing('large')).toThrow("variants of l: the heuristic's must support the problem; got large for 6.");
    expect(choosing('largest')).toThrow("variants of l: the heuristic's must support the problem; got largest for 6.");
  });

  it('compiles a heuristic that returns names of its rows alone', () => {
    const rows = [
      { name: 'plain', why: '', supports: () => true, launch: nothing },
      { name: 'even', why: '', supports: (n: number) => n % 2 === 0, launch: nothing },
    ] as const;
    const table = { name: 'typed', classOf: String, samples: [], variants: rows };
    variantTable<number, 'plain' | 'even'>({ ...table, heuristic: (n) => (n % 2 ? 'plain' : 'even') });
    // @ts-expect-error: a slip of the pen
    const slip = variantTable({ ...table, heuristic: (n: number) => (n % 2 ? 'plain' : 'evne') });
    // @ts-expect-error: a name that is any text
    const any = variantTable({ ...table, heuristic: (n: number) => `${n}` });
    variantTables.splice(-3);
    expect(() => variantOf(slip, 2, { tuned: {} } as Traits)).toThrow('got evne for 2');
    expect(() => variantOf(any, 2, { tuned: {} } as Traits)).toThrow('got 2 for 2');
  });
});
