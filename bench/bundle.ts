import { gzipSync } from 'node:zlib';
import { join } from 'node:path';

const uses: Record<string, string> = {
  'matmul and relu': `import { device, matmul, relu, tensor } from './src/index.ts'; console.log([device, matmul, relu, tensor]);`,
  'the whole library': `export * from './src/index.ts';`,
};

/** Comments, indentation and blank lines of WGSL go, as the build may take them out; `// @tune` marks stay. */
const bare = (wgsl: string): string => wgsl.replace(/\/\/(?! @tune).*$/gm, '').replace(/^\s+|[ \t]+$/gm, '');

/** KB, minified and gzipped, of what a browser downloads for each use, with the kernels as written and without their comments. */
export async function bundleSizes(root: string): Promise<string[]> {
  const { build } = await import('esbuild');
  const { readFileSync } = await import('node:fs');
  const size = async (contents: string, strip: boolean): Promise<string> => {
    const plugin = { name: 'wgsl', setup: (b: import('esbuild').PluginBuild) => b.onLoad({ filter: /\.wgsl$/ }, ({ path }) => ({ loader: 'text', contents: strip ? bare(readFileSync(path, 'utf8')) : readFileSync(path, 'utf8') })) };
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: root, loader: 'ts' }, absWorkingDir: root, tsconfig: join(root, 'tsconfig.json'),
      bundle: true, minify: true, write: false, format: 'esm', platform: 'browser', plugins: [plugin], logLevel: 'error',
    });
    return (gzipSync(outputFiles[0].contents, { level: 9 }).length / 1000).toFixed(1);
  };
  return Promise.all(Object.entries(uses).map(async ([use, code]) => `Bundle of ${use}: ${await size(code, false)} KB gzipped, ${await size(code, true)} KB with bare kernels`));
}
