import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { findAdapter } from '../src/gpu/adapter.js';
import { type Kernel, kernel } from '../src/gpu/kernel.js';
import { layoutEntries } from '../src/gpu/pipelines.js';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const list = (folder: string, end: string) =>
  (readdirSync(join(root, folder), { recursive: true }) as string[]).filter((f) => f.endsWith(end)).map((f) => `${folder}/${f}`);

const kernels = list('kernels', '.wgsl').filter((f) => !f.startsWith('kernels/lib/')).map((f) => basename(f, '.wgsl')).sort();
const sources = list('src', '.ts');
const mirrors = sources.filter((f) => f.startsWith('src/reference/')).map(read).join('\n');
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
const features: Record<string, GPUFeatureName> = { f16: 'shader-f16', subgroups: 'subgroups', chromium_experimental_subgroup_matrix: 'chromium-experimental-subgroup-matrix' as GPUFeatureName };

describe.each(kernels)('kernels/%s.wgsl', (name) => {
  it('is imported in src/, has a mirror in src/reference/ and a test that names it', () => {
    expect(sources.some((f) => read(f).includes(`kernels/${name}.wgsl'`)), 'imported').toBe(true);
    const mirror = names(name).find((n) => new RegExp(`^export (async )?function ${camel(n)}\\b`, 'm').test(mirrors));
    expect(mirror, `a mirror called ${names(name).map(camel).join(' or ')}`).toBeDefined();
    const plain = names(name.replace(/_grad$/, ''));
    const test = tests.find((f) => plain.includes(basename(f, '.test.ts')) || plain.some((n) => new RegExp(`\\b${camel(n)}\\b`).test(read(f))));
    expect(test, `a test called or naming ${plain.join(' or ')}`).toBeDefined();
  });
});

describe('on a device with default limits', () => {
  let device: GPUDevice;
  beforeAll(async () => {
    const { adapter } = await findAdapter('any', true);
    device = await adapter.requestDevice({ requiredFeatures: Object.values(features).filter((f) => adapter.features.has(f)) });
  });

  it.each(kernels)('%s compiles without a message, and makes a pipeline', async (name) => {
    const k = kernel(name, read(`kernels/${name}.wgsl`));
    const missing = [...k.code.matchAll(/^enable ([\w, ]+);/gm)].flatMap((m) => m[1].split(/,\s*/)).filter((e) => !device.features.has(features[e] ?? e));
    if (missing.length) return expect(missing.every((e) => e in features), `known extensions: ${missing}`).toBe(true);
    expect(k.access.length).toBeLessThanOrEqual(8);
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ label: name, code: k.code });
    const { messages } = await module.getCompilationInfo();
    expect(messages.map((m) => `${m.type}: ${m.message} at line ${m.lineNum}: ${k.code.split('\n')[m.lineNum - 1]?.trim()}`)).toEqual([]);
    device.createComputePipeline({ label: name, layout: layout(device, k), compute: { module } });
    const error = await device.popErrorScope();
    expect(error?.message).toBeUndefined();
  });
});

/** As the recorder makes it. */
function layout(device: GPUDevice, k: Kernel): GPUPipelineLayout {
  return device.createPipelineLayout({ bindGroupLayouts: [device.createBindGroupLayout({ entries: layoutEntries(k.access) })] });
}
