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
  /** The module and all that it imports. */
  readonly files: readonly Uint8Array[];
  /** What comes when a device with f16 is opened: a graphics card, one with tensor cores, a software adapter. */
  readonly cards: readonly Uint8Array[];
  readonly matrices: readonly Uint8Array[];
  readonly software: readonly Uint8Array[];
  /** What comes where it is asked for: the mirrors, with the reference backend, and how tensors are printed. */
  readonly later: readonly Uint8Array[];
}

/** Files by what only some pages load. */
const parts = {
  cards: /^(f16-storage|loss)-|_cards-/,
  matrices: /^(f16-storage|loss)-|_(cards|matrices)-/,
  software: /^(f16-storage|loss)-|_software-/,
  later: /^(reference|format)-/,
};

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
  /** Adds the files that those of a set import, now or when they run. */
  const closed = (paths: Set<string>, when: 'import-statement' | 'dynamic-import') => {
    for (const from of paths) for (const { kind, path } of outputs[from].imports) if (kind === when) paths.add(path);
    return paths;
  };
  const needed = closed(new Set(['stdin.js']), 'import-statement');
  const asked = [...needed].flatMap((from) => [...closed(new Set([from]), 'dynamic-import')]);
  const textOf = (paths: Iterable<string>) => {
    const wanted = new Set(paths);
    return outputFiles
      .filter(({ path }) => wanted.has(relative(root, path).replaceAll('\\', '/')))
      .map((f) => f.contents);
  };
  const besides = (names: RegExp) =>
    textOf(
      [...closed(new Set(asked.filter((path) => names.test(path))), 'import-statement')].filter((p) => !needed.has(p)),
    );
  return {
    files: textOf(needed),
    cards: besides(parts.cards),
    matrices: besides(parts.matrices),
    software: besides(parts.software),
    later: besides(parts.later),
  };
}

/** Thousands of bytes of them, each gzipped. */
export const gzippedKB = (files: readonly Uint8Array[]): number =>
  files.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0) / 1000;

/** The size of each use, in words. */
export const bundleSizes = (root: string): Promise<string[]> =>
  Promise.all(
    Object.entries(uses).map(async ([use, code]) => {
      const { files, cards, matrices, software, later } = await bundleOf(root, code);
      const [first, last] = [files, later].map((part) => gzippedKB(part).toFixed(1));
      const withPart = (part: readonly Uint8Array[]) => gzippedKB([...files, ...part]).toFixed(1);
      return (
        `Bundle of ${use}: ${first} KB gzipped; with what a device loads as it is opened ` +
        `${withPart(cards)} KB on a graphics card, ${withPart(matrices)} with tensor cores, ` +
        `${withPart(software)} on a software adapter; ${last} KB more for the reference backend and printing`
      );
    }),
  );
