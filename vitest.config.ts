import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { softwareVulkan } from './src/gpu/software.node.js';

/** Kernels are imported as text, as the bundler does it. */
export const wgsl = {
  name: 'wgsl',
  load(id: string) {
    return id.endsWith('.wgsl') ? `export default ${JSON.stringify(readFileSync(id, 'utf8'))};` : undefined;
  },
};

/** With TEST_RUNS=0.2 a fifth of each property's runs: for a second driver, after the first has tried them all. */
const fewerRuns = {
  name: 'fewer-runs',
  enforce: 'pre' as const,
  resolveId(id: string, importer?: string) {
    return process.env.TEST_RUNS && id === 'fast-check' && !importer?.endsWith('/browser/fast-check.ts')
      ? join(import.meta.dirname, 'test/browser/fast-check.ts')
      : undefined;
  },
};

/**
 * Tests run on SwiftShader, so that they say the same on every machine. Another adapter is chosen by its
 * driver's manifest: VK_ICD_FILENAMES=/usr/share/vulkan/icd.d/nvidia_icd.json npx vitest run
 */
async function driver(): Promise<Record<string, string>> {
  if (process.env.VK_ICD_FILENAMES || process.env.VK_DRIVER_FILES) return {};
  const folder = await softwareVulkan();
  return folder ? { VK_ICD_FILENAMES: join(folder, 'vk_swiftshader_icd.json') } : {};
}

export default defineConfig({
  plugins: [wgsl, fewerRuns],
  define: { TEST_RUNS: process.env.TEST_RUNS ?? '1', TEST_SEED: process.env.TEST_SEED ?? '1' },
  resolve: {
    alias: {
      'dawngrad/engine': join(import.meta.dirname, 'src/engine.ts'),
      'dawngrad/node': join(import.meta.dirname, 'src/node.ts'),
      dawngrad: join(import.meta.dirname, 'src/index.ts'),
    },
  },
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/seed.ts', 'test/support/limits.ts'], // time limits are the latter's
    env: await driver(),
    pool: 'forks',
    maxWorkers: 2,
    isolate: false, // one device and one set of pipelines a worker
    slowTestThreshold: 10_000,
  },
});
