import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bareKernels } from '../scripts/bare-wgsl.js';
import { demoConfig } from '../src/moco/config.js';

/** Seconds from the start of a process, in which nothing is compiled, to its first and third loss, in words. */
export async function timeToFirstStep(root: string): Promise<string[]> {
  const { build } = await import('esbuild');
  const outfile = join(root, 'node_modules/.cache/dawngrad-first-steps.mjs');
  await build({
    entryPoints: [join(root, 'bench/first-steps.ts')],
    absWorkingDir: root,
    outfile,
    external: ['webgpu', 'sharp', '@sparticuz/chromium'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    plugins: [bareKernels],
    logLevel: 'error',
  });
  const started = Date.now();
  const { stdout } = await promisify(execFile)(process.execPath, [outfile], { timeout: 120_000 });
  const [first, , third] = (JSON.parse(stdout) as number[]).map((read) => ((read - started) / 1000).toFixed(1));
  const { model, batch, size } = demoConfig;
  return [
    `Time to the first step: ${first} s from the start of a process to the first loss (to the third ${third} ` +
      `s), MoCo with ${model}, batch ${batch} of ${size}²`,
  ];
}
