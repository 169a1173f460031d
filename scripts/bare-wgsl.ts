import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';

/** WGSL without comments, indentation and blank lines, which only readers of the files need; `// @tune` marks stay. */
export const bareWgsl = (wgsl: string): string => wgsl.replace(/\/\/(?! @tune).*$/gm, '').replace(/^\s+|[ \t]+$/gm, '');

/** Lets esbuild import kernels as bare text. */
export const bareKernels: Plugin = {
  name: 'bare-wgsl',
  setup: (build) => build.onLoad({ filter: /\.wgsl$/ }, ({ path }) => ({ loader: 'text', contents: bareWgsl(readFileSync(path, 'utf8')) })),
};
