import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bareKernels } from '../scripts/bare-wgsl.js';

/** Every export but those of MoCo, of files and of data sets: tensors, all operations with all kernels, layers, optimizers. */
export const engine = (root: string): string =>
  readFileSync(join(root, 'src/index.ts'), 'utf8').split('\n').filter((line) => !/'\.\/(moco|io|data)\//.test(line)).join('\n').replaceAll(`'./`, `'./src/`);

const uses = (root: string): Record<string, string> => ({
  'matmul and relu': `import { device, matmul, relu, tensor } from './src/index.ts'; console.log([device, matmul, relu, tensor]);`,
  'the engine, with all kernels': engine(root),
  'the whole library': `export * from './src/index.ts';`,
});

/** What a browser downloads for a module in the folder `root`: minified, with the kernels as they are published. */
export async function bundleOf(root: string, contents: string): Promise<Uint8Array> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root, loader: 'ts' }, absWorkingDir: root, tsconfig: join(root, 'tsconfig.json'),
    bundle: true, minify: true, write: false, format: 'esm', platform: 'browser', plugins: [bareKernels], logLevel: 'error',
  });
  return outputFiles[0].contents;
}

/** Thousands of bytes of it, gzipped. */
export const gzippedKB = (bundle: Uint8Array): number => gzipSync(bundle, { level: 9 }).length / 1000;

/** The size of each use, in words. */
export const bundleSizes = (root: string): Promise<string[]> =>
  Promise.all(Object.entries(uses(root)).map(async ([use, code]) => `Bundle of ${use}: ${gzippedKB(await bundleOf(root, code)).toFixed(1)} KB gzipped`));
