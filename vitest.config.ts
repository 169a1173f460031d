import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/** Kernels are imported as text, as the bundler does it. */
export const wgsl = {
  name: 'wgsl',
  load(id: string) {
    return id.endsWith('.wgsl') ? `export default ${JSON.stringify(readFileSync(id, 'utf8'))};` : undefined;
  },
};

export default defineConfig({
  plugins: [wgsl],
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    isolate: false, // one device and one set of pipelines a worker
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
