import { readdirSync } from 'node:fs';
import { defineConfig } from 'tsup';
import { bareKernels } from './scripts/bare-wgsl.js';

/**
 * Every module of the engine is a file of its own, so that a page downloads what it uses: bundlers drop whole files,
 * and little of a file that they need in part. But for `methods`, which uses all operations: it becomes a part of
 * index.js, the one file of which package.json says that it does something when it is imported.
 */
const rooms = ['core', 'gpu', 'backend', 'tensor', 'compile', 'ops', 'nn', 'optim'];
const files = rooms.flatMap((room) => readdirSync(`src/${room}`).map((file) => `${room}/${file.replace('.ts', '')}`));
const modules = Object.fromEntries(
  files.filter((file) => file !== 'ops/methods').map((file) => [file, `src/${file}.ts`]),
);

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
    ...modules,
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
