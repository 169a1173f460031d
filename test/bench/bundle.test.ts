import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundleOf, gzippedKB, uses } from '../../bench/bundle.js';
import { bareWgsl } from '../../scripts/bare-wgsl.js';
import { type Kernel, kernel } from '../../src/gpu/kernel.js';

const root = join(import.meta.dirname, '../..');
const files = readdirSync(join(root, 'kernels')).filter((f) => f.endsWith('.wgsl'));
const read = (file: string) => readFileSync(join(root, 'kernels', file), 'utf8');
const bundle = async (code: string) => (await bundleOf(root, code)).files;

describe('bare kernels', () => {
  it.each(files)('%s is the same without comments and indentation', (file) => {
    const [whole, bare] = [read(file), bareWgsl(read(file))].map((text) => kernel(file, text));
    const stripped = (k: Kernel) => ({ ...k, code: bareWgsl(k.code), source: bareWgsl(k.source) });
    expect(stripped(bare)).toEqual(stripped(whole));
    expect(bareWgsl(read(file))).not.toMatch(/^\s|\/\/(?! @tune)/m);
  });
});

describe('a bundle', () => {
  it('of few operations pays for few kernels', async () => {
    const [all, few] = await Promise.all([bundle(uses['the engine, with all kernels']), bundle(uses['matmul and relu'])]);
    expect(gzippedKB(all)).toBeLessThanOrEqual(60);
    expect(gzippedKB(few)).toBeLessThan(gzippedKB(all) / 2);
    /** Kernels whose every line is in the bundle. */
    const held = (bundled: readonly Uint8Array[]) => {
      const text = Buffer.concat(bundled).toString();
      return files.filter((f) => bareWgsl(read(f)).split('\n').every((line) => text.includes(line.replace(/`|\\|\$\{/g, '\\$&'))));
    expect(held(all.toString()).length).toBe(files.length);
    expect(held(few.toString()).filter((f) => /^(conv2d|batch_norm|attention|max_pool|augment|lars|adamw|queue)/.test(f))).toEqual([]);
    expect(held(few.toString())).toContain('matmul.wgsl');
  });
});
