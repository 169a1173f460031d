import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Plugin } from 'esbuild';
import { names, shortNames } from './short-names.js';

/** Lines that are read as they stand when a kernel is loaded (src/gpu). */
const verbatim = /^(#|@group|alias|struct)|\/\/ @tune/;
const word = /[\w$]/;
const operator = /[-+*/%&|^<>=!]/;

/** Blanks part words, and operators that would become another; others go. */
const tight = (line: string): string =>
  line.replace(/(?<=(\S)) +(?=(\S))/g, (_, a: string, b: string) =>
    [word, operator].some((kind) => kind.test(a) && kind.test(b)) ? ' ' : '',
  );

/**
 * WGSL without what only its readers need: comments, indentation, blank lines, blanks beside operators, and long names
 * where `short` has others.
 */
export function bareWgsl(wgsl: string, short: ReadonlyMap<string, string> = new Map()): string {
  const lines = wgsl
    .replace(/\/\/(?! @tune).*$/gm, '')
    .replace(/^\s+|[ \t]+$/gm, '')
    .split('\n');
  const renamed = lines.map((line) =>
    line.startsWith('#') ? line : line.replace(names, (name) => short.get(name) ?? name),
  );
  return renamed.map((line) => (verbatim.test(line) ? line : tight(line))).join('\n');
}

/**
 * Lets esbuild import kernels as bare text, all of one module: side by side they compress best, and bundlers drop those
 * that nobody uses.
 */
export const bareKernels: Plugin = {
  name: 'bare-wgsl',
  setup(build) {
    const folder = join(build.initialOptions.absWorkingDir ?? process.cwd(), 'kernels');
    const variable = (file: string) => `kernel_${file.replaceAll(/\W/g, '_')}`;
    build.onResolve({ filter: /^all-kernels$/ }, () => ({
      path: 'all-kernels',
      namespace: 'bare-wgsl',
      sideEffects: false,
    }));
    build.onLoad({ filter: /\.wgsl$/ }, ({ path }) => ({
      loader: 'js',
      contents: `export { ${variable(relative(folder, path))} as default } from 'all-kernels';`,
    }));
    build.onLoad({ filter: /.*/, namespace: 'bare-wgsl' }, () => {
      const short = shortNames(folder);
      const files = (readdirSync(folder, { recursive: true }) as string[]).filter((f) => f.endsWith('.wgsl')).sort();
      const texts = files.map((f) => [
        variable(f),
        JSON.stringify(bareWgsl(readFileSync(join(folder, f), 'utf8'), short)),
      ]);
      return { loader: 'js', contents: texts.map(([name, text]) => `export const ${name} = ${text};\n`).join('') };
    });
  },
};
