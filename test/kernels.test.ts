import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { bareWgsl } from '../scripts/bare-wgsl.js';
import { shortNames, names as wgslNames } from '../scripts/short-names.js';
import { findAdapter } from '../src/gpu/adapter.js';
import { type Kernel, kernel, PARAM_SLOT } from '../src/gpu/kernel.js';
import { layoutEntries } from '../src/gpu/pipelines.js';
import { preprocess, type Tuning } from '../src/gpu/preprocess.js';
import { leastBytes, storedAsF16 } from './support/bindings.js';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const list = (folder: string, end: string) =>
  (readdirSync(join(root, folder), { recursive: true }) as string[])
    .filter((f) => f.endsWith(end))
    .map((f) => `${folder}/${f}`);

const kernels = list('kernels', '.wgsl')
  .filter((f) => !f.startsWith('kernels/lib/'))
  .map((f) => basename(f, '.wgsl'))
  .sort();
const sources = list('src', '.ts');
const mirrors = sources
  .filter((f) => f.startsWith('src/reference/'))
  .map(read)
  .join('\n');
const tests = list('test', '.test.ts').filter((f) => f !== 'test/kernels.test.ts');

/** Kernels that are one dispatch of several of an operation with another name. */
const partOf: Record<string, string> = { queue_advance: 'queue_write' };

/** The names a kernel's mirror and test may have: `a_b_c_grad` is a part of `a_b_grad`, or of `a_grad`. */
function names(name: string): string[] {
  const words = (partOf[name] ?? name).split('_');
  const grad = words.at(-1) === 'grad' ? words.splice(-1) : [];
  return words.map((_, i) => [...words.slice(0, words.length - i), ...grad].join('_'));
}

const camel = (name: string) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());

/** Adapter features by the WGSL extensions that need them. */
const features: Record<string, GPUFeatureName> = {
  f16: 'shader-f16',
  subgroups: 'subgroups',
  chromium_experimental_subgroup_matrix: 'chromium-experimental-subgroup-matrix' as GPUFeatureName,
};

describe.each(kernels)('kernels/%s.wgsl', (name) => {
  it('is imported in src/, has a mirror in src/reference/ and a test that names it', () => {
    expect(
      sources.some((f) => read(f).includes(`kernels/${name}.wgsl'`)),
      'imported',
    ).toBe(true);
    const mirror = names(name).find((n) => new RegExp(`^export (async )?function ${camel(n)}\\b`, 'm').test(mirrors));
    expect(mirror, `a mirror called ${names(name).map(camel).join(' or ')}`).toBeDefined();
    const plain = names(name.replace(/_grad$/, ''));
    const test = tests.find(
      (f) =>
        plain.includes(basename(f, '.test.ts')) || plain.some((n) => new RegExp(`\\b${camel(n)}\\b`).test(read(f))),
    );
    expect(test, `a test called or naming ${plain.join(' or ')}`).toBeDefined();
  });
});

describe('the text of kernels', () => {
  const files = list('kernels', '.wgsl');
  it.each(files)('%s: a head, the mechanisms of the README alone, 120 columns at most', (file) => {
    const lines = read(file).split('\n');
    expect(lines.find((line) => !/^(enable|diagnostic)\b/.test(line))).toMatch(/^ *\/\/ \S/);
    expect(
      lines.filter((line) =>
        /^ *#(?!import "\w+"$|if [A-Z][A-Z0-9_]*$|else$|endif$|for \w in \d+\.\.\w+$|end$)/.test(line),
      ),
    ).toEqual([]);
    expect(lines.filter((line) => line.length > 120)).toEqual([]);
  });
});

/** Unrolled over the head: a smaller one compiles in a tenth of the time. */
const tunings: Record<string, Tuning> = Object.fromEntries(
  ['attention', 'attention_dq', 'attention_dkv'].map((name) => [name, { D: 16 }]),
);

/** Kernels whose epilogue takes statistics or adds a bias are compiled with and without it. */
const tuningsOf = (name: string): (Tuning | undefined)[] => [
  tunings[name],
  ...(read(`kernels/${name}.wgsl`).includes('STATS') ? [{ STATS: 1 }] : []),
  ...(read(`kernels/${name}.wgsl`).includes('#if LOW') ? [{ LOW: 1 }] : []),
  ...(name === 'matmul_matrix' ? [{ LOW: 1, AHEAD: 0, ALIGNED: 0 }] : []),
  ...(/^conv2d.*_(tiled|matrix)$/.test(name) ? [{ A_T: 1, B_T: 1 }] : []),
  ...(/^conv2d/.test(name) && read(`kernels/${name}.wgsl`).includes('const TAIL') ? [{ TAIL: 1 }] : []),
  ...(/^matmul/.test(name) && name !== 'matmul_subgroup'
    ? [{ BIAS: 1 }, ...(name === 'matmul' ? [] : [{ STATS: 1 }, { TAIL: 1 }, { ALIGNED: 0 }, { A_T: 1, B_T: 1 }])]
    : []),
];

const kept: GPU[] = []; // a device dies with the instance it is of

/** Dawn without a driver: it checks shaders of every extension and runs none. */
async function checker(requiredFeatures: GPUFeatureName[]): Promise<GPUDevice> {
  const { create, globals } = (await import('webgpu')) as unknown as {
    create(options: string[]): GPU;
    globals: object;
  };
  if (!globalThis.GPUShaderStage) Object.assign(globalThis, globals);
  kept.push(create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']));
  const adapter = await kept.at(-1)!.requestAdapter();
  return adapter!.requestDevice({ requiredFeatures });
}

async function complaints(device: GPUDevice, { name, code }: Kernel): Promise<string[]> {
  const { messages } = await device.createShaderModule({ label: name, code }).getCompilationInfo();
  return messages.map(
    (m) => `${m.type}: ${m.message} at line ${m.lineNum}: ${code.split('\n')[m.lineNum - 1]?.trim()}`,
  );
}

describe('on a device with default limits', () => {
  let device: GPUDevice;
  beforeAll(async () => {
    const { adapter } = await findAdapter('any', true);
    device = await adapter.requestDevice({
      requiredFeatures: Object.values(features).filter((f) => adapter.features.has(f)),
    });
  });

  it.each(kernels)('%s compiles without a message, and makes a pipeline', async (name) => {
    const k = kernel(name, read(`kernels/${name}.wgsl`), tunings[name]);
    const missing = [...k.code.matchAll(/^enable ([\w, ]+);/gm)]
      .flatMap((m) => m[1].split(/,\s*/))
      .filter((e) => !device.features.has(features[e] ?? e));
    expect(
      missing.filter((e) => !(e in features)),
      'unknown extensions',
    ).toEqual([]);
    if (missing.length) return expect(await complaints(await checker(missing.map((e) => features[e])), k)).toEqual([]);
    expect(k.access.length).toBeLessThanOrEqual(8);
    device.pushErrorScope('validation');
    expect(await complaints(device, k)).toEqual([]);
    device.createComputePipeline({
      label: name,
      layout: layout(device, k),
      compute: { module: device.createShaderModule({ code: k.code }) },
    });
    const error = await device.popErrorScope();
    expect(error?.message).toBeUndefined();
  });
});

/** The text, and what it is made into for vectors. */
const variants = (source: string) =>
  new Set([
    source,
    source.replace('#import "single"', '#import "vec4"'),
    source.replace(/^(alias [UB] =) u32/gm, '$1 vec4u'),
  ]);

/** Bindings that may be f16: floats, and words that are only moved. */
const moving = ['gather', 'strided', 'strided_transpose'];
const halvable = ({ name, code }: Kernel) =>
  [...code.matchAll(/@binding\((\d+)\) var<storage, \w+> \w+: array<(\w+)>/g)]
    .filter(([, , type]) => /^(V|f32|vec[24]f)$/.test(type) || (type === 'U' && moving.includes(name)))
    .map((b) => Number(b[1]));

/** The kernel with all of these stored as f16. */
const halved = (k: Kernel) =>
  storedAsF16(
    k,
    halvable(k).reduce((mask, i) => mask | (1 << i), 0),
  );

describe('as they are published', () => {
  let device: GPUDevice;
  beforeAll(async () => void (device = await checker(Object.values(features))));

  const short = shortNames(join(root, 'kernels'));
  const bare = (text: string) => bareWgsl(text, short);
  const imported = (text: string, as: (lib: string) => string) =>
    text.replace(/^#import "(\w+)".*$/gm, (_, file) => as(read(`kernels/lib/${file}.wgsl`)));
  /**
   * Without comments and blanks, every name replaced by a number in order of appearance: equal where texts differ by a
   * one-to-one renaming.
   */
  function numbered({ code }: Kernel): string[] {
    const seen = new Map<string, string>();
    return code
      .replace(/\/\/.*$/gm, '')
      .replace(wgslNames, (n) => seen.get(n) ?? seen.set(n, `name${seen.size}`).get(n)!)
      .match(/\w+|[^\s\w]/g)!;
  }

  it.each(kernels)('%s is the same but for blanks and names, and compiles', async (name) => {
    const text = read(`kernels/${name}.wgsl`);
    const [wholes, bares] = [variants(text), variants(bare(text))].map((texts) => [...texts]);
    expect(bares.length).toBe(wholes.length);
    for (const [i, tuning] of wholes.flatMap((_, i) => tuningsOf(name).map((tuning) => [i, tuning] as const))) {
      const [whole, published] = [imported(wholes[i], (lib) => lib), imported(bares[i], bare)].map((source) =>
        kernel(name, source, tuning),
      );
      expect(numbered(published)).toEqual(numbered(whole));
      expect(numbered(halved(published))).toEqual(numbered(halved(whole)));
      const host = ({ code, access, fields, paramBytes }: Kernel) => ({
        access,
        fields,
        paramBytes,
        constants: code.match(/\boverride \w+|^.*@tune/gm),
      });
      expect(host(published)).toEqual(host(whole));
      for (const k of [published, halved(published)]) expect(await complaints(device, k)).toEqual([]);
    }
  });

  it('they have no comments and no indentation, and names that members or the host use stay', () => {
    for (const name of kernels) expect(bare(read(`kernels/${name}.wgsl`))).not.toMatch(/^\s|\/\/(?! @tune)/m);
    expect(
      bareWgsl(
        `// doc
override LONG = 1u;
const SIZE = 4u; // @tune: why
#for i in 0..SIZE
  let long$i = p.size - -size + f(long$i, "a"); // why
#end
`,
        new Map([
          ['size', 'a'],
          ['f', 'b'],
          ['i', 'c'],
        ]),
      ),
    ).toBe(`override LONG=1u;
const SIZE = 4u; // @tune: why
#for i in 0..SIZE
let long$i=p.size- -a+b(long$i,"a");
#end
`);
  });
});

describe('text mechanisms', () => {
  const source = 'const A = 0u; // @tune\n#for i in 0..2\n#if A\n#if A\nf($i)\n#endif\n#else\ng($i)\n#endif\n#end';
  const calls = (tuning: Tuning) => preprocess('k', source, tuning).split('\n').slice(1);

  it(
    '#if keeps its first lines where the constant is not 0, those after #else where it is, ' +
      'in loops and in each other',
    () => {
      expect(calls({ A: 1 })).toEqual(['f(0)', 'f(1)']);
      expect(calls({})).toEqual(['g(0)', 'g(1)']);
    },
  );

  it('a block without its end and an #if of no tuned constant are refused', () => {
    const tune = 'const A = 0u; // @tune\n';
    for (const text of ['#if A\nx', '#for i in 0..2\nx', '#if A\nx\n#end', '#for i in 0..A\nx\n#endif'])
      expect(() => preprocess('k', tune + text)).toThrow('every #for must have its #end and every #if its #endif');
    expect(() => preprocess('k', '#if B\nx\n#endif')).toThrow('#if must name a tuned constant; got B');
  });
});

describe('bytes of bindings', () => {
  let device: GPUDevice;
  beforeAll(async () => void (device = await checker(Object.values(features))));

  /**
   * What Dawn says of a pipeline whose bindings have at least these bytes; undefined where they are enough, whatever
   * else it asks for.
   */
  async function tooFew(k: Kernel, module: GPUShaderModule, least: number[]): Promise<string | undefined> {
    const entries = layoutEntries(k.access).map((e, i) => ({
      ...e,
      buffer: { ...e.buffer, minBindingSize: least[i] ?? PARAM_SLOT },
    }));
    device.pushErrorScope('validation');
    const bound = device.createPipelineLayout({ bindGroupLayouts: [device.createBindGroupLayout({ entries })] });
    device.createComputePipeline({ layout: bound, compute: { module } });
    const said = (await device.popErrorScope())?.message;
    return said?.includes('minBindingSize') ? said : undefined;
  }

  it.each(kernels)('%s: those that its text asks for are those that Dawn asks for', async (name) => {
    for (const k of [...variants(read(`kernels/${name}.wgsl`))]
      .flatMap((text) => tuningsOf(name).map((tuning) => kernel(name, text, tuning)))
      .flatMap((k) => [k, halved(k)])) {
      const [least, module] = [leastBytes(k), device.createShaderModule({ code: k.code })];
      expect(await tooFew(k, module, least), k.name).toBeUndefined();
      for (const i of least.keys())
        expect(
          await tooFew(
            k,
            module,
            least.map((n, j) => (j === i ? n - 1 : n)),
          ),
          `${k.name}, binding ${i}`,
        ).toContain(`@binding(${i})`);
    }
  });
});

describe('with halves in memory', () => {
  let device: GPUDevice;
  beforeAll(async () => void (device = await checker(Object.values(features))));

  it.each(kernels)('%s compiles without a message when its floats are f16', async (name) => {
    const source = read(`kernels/${name}.wgsl`);
    for (const k of [...variants(source)].flatMap((text) =>
      tuningsOf(name).map((tuning) => kernel(name, text, tuning)),
    )) {
      const places = halvable(k);
      const all = places.reduce((mask, i) => mask | (1 << i), 0);
      for (const mask of moving.includes(name) ? [all, 1] : [all]) {
        const half = storedAsF16(k, mask);
        expect(await complaints(device, half), half.name).toEqual([]);
        if (mask > 0) expect(half.code).toMatch(/^enable f16;/m);
      }
    }
  });

  it('only floats may be f16', () => {
    expect(() => storedAsF16(kernel('where_place', read('kernels/reduce_max_grad.wgsl')), 1)).toThrow(
      "only what it reads or writes as floats may be f16; got place, u32. Convert the tensor with cast(x, 'f32').",
    );
  });
});

/** As the recorder makes it. */
function layout(device: GPUDevice, k: Kernel): GPUPipelineLayout {
  return device.createPipelineLayout({
    bindGroupLayouts: [device.createBindGroupLayout({ entries: layoutEntries(k.access) })],
  });
}
