import { defineConfig } from 'tsup';
import { bareKernels } from './scripts/bare-wgsl.js';

export default defineConfig({
  entry: { index: 'src/index.ts', engine: 'src/engine.ts', node: 'src/node.ts', reference: 'src/reference/index.ts', cli: 'src/cli/main.ts' },
  format: 'esm',
  target: 'es2022',
  dts: { entry: { index: 'src/index.ts', engine: 'src/engine.ts', node: 'src/node.ts', reference: 'src/reference/index.ts' } },
  splitting: true,
  clean: true,
  external: ['webgpu', 'sharp', '@sparticuz/chromium'],
  esbuildPlugins: [bareKernels],
});
