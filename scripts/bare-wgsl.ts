import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import { names, shortNames } from './short-names.js';

/** Lines that are read as they stand when a kernel is loaded (src/gpu). */
const verbatim = /^(#|@group|alias|struct)|\/\/ @tune/;
const word = /[\w$]/;
const operator = /[-+*/%&|^<>=!]/;

/** Blanks part words, and operators that would become another; others go. */
const tight = (line: string): string =>
  line.replace(/(?<=(\S)) +(?=(\S))/g, (_, a: string, b: string) => ([word, operator].some((kind) => kind.test(a) && kind.test(b)) ? ' ' : ''));

/** WGSL without what only its readers need: comments, indentation, blank lines, blanks beside operators, and long names where `short` has others. */
export function bareWgsl(wgsl: string, short: ReadonlyMap<string, string> = new Map()): string {
  const lines = wgsl.replace(/\/\/(?! @tune).*$/gm, '').replace(/^\s+|[ \t]+$/gm, '').split('\n');
  const renamed = lines.map((line) => (line.startsWith('#') ? line : line.replace(names, (name) => short.get(name) ?? name)));
  return renamed.map((line) => (verbatim.test(line) ? line : tight(line))).join('\n');
}

/** Lets esbuild import kernels as bare text, one beside the other where all are: they compress well together. */
export const bareKernels: Plugin = {
  name: 'bare-wgsl',
  setup(build) {
    const folder = join(build.initialOptions.absWorkingDir ?? process.cwd(), 'kernels');
    const short = shortNames(folder);
    build.onLoad({ filter: /\.wgsl$/ }, ({ path }) => ({ loader: 'text', contents: bareWgsl(readFileSync(path, 'utf8'), short) }));
    const kernels = (readdirSync(folder, { recursive: true }) as string[]).filter((f) => f.endsWith('.wgsl')).sort();
    const imports = kernels.map((f) => `import '../kernels/${f.replaceAll('\\', '/')}';\n`).join('');
    build.onLoad({ filter: /[\\/]src[\\/]engine\.ts$/ }, ({ path }) => ({ loader: 'ts', contents: imports + readFileSync(path, 'utf8') }));
  },
};
