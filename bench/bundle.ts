import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bareKernels } from '../scripts/bare-wgsl.js';

const linear = 'backward, crossEntropy, device, Linear, SGD, tensor, tidy';
const cnn = 'AdamW, backward, Conv2d, crossEntropy, device, Flatten, Linear, MaxPool2d, ReLU, Sequential, tensor, tidy';
const only = (names: string) => `import { ${names} } from './src/engine.ts'; console.log([${names}]);`;

/** Modules in the folder of the repository, by what they use. */
export const uses = {
  'matmul and relu': only('device, matmul, relu, tensor'),
  'a linear classifier': only(linear),
  'a small CNN that trains': only(cnn),
  'the engine, with all kernels': `export * from './src/engine.ts';`,
  'the whole library': `export * from './src/index.ts';`,
};

/** Files that a browser downloads. */
export interface Bundle {
  /** The module and all that it imports: what it takes to train on a GPU. */
  readonly files: readonly Uint8Array[];
  /** What comes later and only where it is asked for: the mirrors, with the reference backend. */
  readonly later: readonly Uint8Array[];
}

/**
 * The bundle of a module in the folder `root`: minified, with the kernels as they are published, without the parts that
 * only Node asks for.
 */
export async function bundleOf(root: string, contents: string): Promise<Bundle> {
  const { build } = await import('esbuild');
  const {
    outputFiles,
    metafile: { outputs },
  } = await build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    absWorkingDir: root,
    tsconfig: join(root, 'tsconfig.json'),
    outdir: root,
    bundle: true,
    minify: true,
    splitting: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    plugins: [bareKernels],
    logLevel: 'error',
  });
  const needed = new Set(['stdin.js']);
  for (const path of needed)
    for (const { kind, path: to } of outputs[path].imports) if (kind === 'import-statement') needed.add(to);
  const inBrowser = outputFiles.filter(({ path }) => !/\.node-\w+\.js$/.test(path));
  const select = (isNeeded: boolean) =>
    inBrowser
      .filter(({ path }) => needed.has(relative(root, path).replaceAll('\\', '/')) === isNeeded)
      .map((f) => f.contents);
  return { files: select(true), later: select(false) };
}

/** Thousands of bytes of them, each gzipped. */
export const gzippedKB = (files: readonly Uint8Array[]): number =>
  files.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0) / 1000;

/** The size of each use, in words. */
export const bundleSizes = (root: string): Promise<string[]> =>
  Promise.all(
    Object.entries(uses).map(async ([use, code]) => {
      const { files, later } = await bundleOf(root, code);
      return (
        `Bundle of ${use}: ${gzippedKB(files).toFixed(1)} KB gzipped, ` +
        `and ${gzippedKB(later).toFixed(1)} KB that only the reference backend downloads`
      );
    }),
  );
