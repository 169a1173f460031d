import { readdirSync } from 'node:fs';
import { defineConfig } from 'tsup';
import { bareKernels } from './scripts/bare-wgsl.js';

/**
 * Files of their own, so that who uses few operations downloads few: bundlers drop whole files. But for `methods`, which uses them
 * all: it becomes a part of index.js, the one file of which package.json says that it does something when it is imported.
 */
const names = readdirSync('src/ops')
  .map((f) => f.replace('.ts', ''))
  .filter((f) => f !== 'methods');
const ops = Object.fromEntries(names.map((f) => [`ops/${f}`, `src/ops/${f}.ts`]));

/**
 * Global types that declarations name, as empty interfaces: they merge with those of the DOM, of Node and of @webgpu/types where
 * a program has these, and let it compile where it has none.
 */
const globals = [
  'AbortSignal',
  ...['BindGroup', 'BindGroupLayout', 'Buffer', 'CommandBuffer', 'CommandEncoder', 'ComputePipeline', 'Device'].map(
    (n) => `GPU${n}`,
  ),
];
const footer = `declare global {\n${globals.map((name) => `  interface ${name} {}`).join('\n')}\n}`;

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    engine: 'src/engine.ts',
    node: 'src/node.ts',
    reference: 'src/reference/entry.ts',
    cli: 'src/cli/main.ts',
    ...ops,
  },
  format: 'esm',
  target: 'es2022',
  dts: {
    entry: { index: 'src/index.ts', engine: 'src/engine.ts', node: 'src/node.ts', reference: 'src/reference/entry.ts' },
    footer,
  },
  splitting: true,
  clean: true,
  external: ['webgpu', 'sharp', '@sparticuz/chromium'],
  esbuildPlugins: [bareKernels],
});
