import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bareKernels } from '../scripts/bare-wgsl.js';

/** Modules in the folder of the repository, by what they use. */
export const uses = {
  'matmul and relu': `import { device, matmul, relu, tensor } from './src/index.ts'; console.log([device, matmul, relu, tensor]);`,
  'the engine, with all kernels': `export * from './src/engine.ts';`,
  'the whole library': `export * from './src/index.ts';`,
};

/** What a browser downloads for a module in the folder `root`: minified, with the kernels as they are published, without the parts that only Node asks for. */
export async function bundleOf(root: string, contents: string): Promise<Uint8Array> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root, loader: 'ts' }, absWorkingDir: root, tsconfig: join(root, 'tsconfig.json'), outdir: root,
    bundle: true, minify: true, splitting: true, write: false, format: 'esm', platform: 'browser', plugins: [bareKernels], logLevel: 'error',
  });
  return Buffer.concat(outputFiles.filter(({ path }) => !/\.node-\w+\.js$/.test(path)).map((f) => f.contents));
}

/** Thousands of bytes of it, gzipped. */
export const gzippedKB = (bundle: Uint8Array): number => gzipSync(bundle, { level: 9 }).length / 1000;

/** The size of each use, in words. */
export const bundleSizes = (root: string): Promise<string[]> =>
  Promise.all(Object.entries(uses).map(async ([use, code]) => `Bundle of ${use}: ${gzippedKB(await bundleOf(root, code)).toFixed(1)} KB gzipped`));
