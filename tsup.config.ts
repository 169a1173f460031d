import { readdirSync } from 'node:fs';
import { defineConfig } from 'tsup';
import { bareKernels } from './scripts/bare-wgsl.js';

/** Files of their own, so that who uses few operations downloads few: bundlers drop whole files. */
const ops = Object.fromEntries(readdirSync('src/ops').map((f) => f.replace('.ts', '')).map((f) => [`ops/${f}`, `src/ops/${f}.ts`]));

export default defineConfig({
  entry: { index: 'src/index.ts', engine: 'src/engine.ts', node: 'src/node.ts', reference: 'src/reference/entry.ts', cli: 'src/cli/main.ts', ...ops },
  format: 'esm',
  target: 'es2022',
  dts: { entry: { index: 'src/index.ts', engine: 'src/engine.ts', node: 'src/node.ts', reference: 'src/reference/entry.ts' } },
  splitting: true,
  clean: true,
  external: ['webgpu', 'sharp', '@sparticuz/chromium'],
  esbuildPlugins: [bareKernels],
});
