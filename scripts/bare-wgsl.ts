import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
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

const variable = (file: string): string => `kernel_${file.replaceAll(/\W/g, '_')}`;
/** Library files that loading chooses between (src/gpu/widths.ts); others are put in place here. */
const chosen = ['single', 'vec4'];

/** The module of all kernels of a folder: texts that share library files, which bundlers drop where nobody uses them. */
function allKernels(folder: string): string {
  const short = shortNames(folder);
  const all = (readdirSync(folder, { recursive: true }) as string[]).filter((f) => f.endsWith('.wgsl')).sort();
  const isLibrary = (file: string) => dirname(file) === 'lib';
  const files = [...all.filter(isLibrary), ...all.filter((file) => !isLibrary(file))]; // what is used comes first
  const texts = files.map((file) => {
    const text = bareWgsl(readFileSync(join(folder, file), 'utf8'), short);
    const parts = text.split(/^#import "(\w+)".*\n?/gm).map((part, i) => {
      if (i % 2 === 0) return part && JSON.stringify(part);
      return chosen.includes(part) ? JSON.stringify(`#import "${part}"\n`) : variable(`lib/${part}.wgsl`);
    });
    const used = parts.filter((part) => part !== '').join(',');
    return `export const ${variable(file)} = /* @__PURE__ */ [${used}].join('');\n`;
  });
  return texts.join('');
}

const notes = /^ +why: '.*',\n/gm;
/** Constants of a module that are made by functions without effects. */
const constants =
  /^((?:export )?const \w+(?:: \w+)? = )((?:kernel|widths|pair|byColumns|byTuning|variantTable|launchOf|finite|whole|oneOf)\()/gm;

const library = `${chosen.map((name) => `import ${name} from '../../kernels/lib/${name}.wgsl';\n`).join('')}
export const library = { ${chosen.join(', ')} };`;

/**
 * Lets esbuild import kernels as bare text: those of a program all of one module, as side by side they compress best,
 * and those of its parts that are loaded on demand (`src/ops/*_cards.ts` and so on) of a module each.
 * Rows of tables lose `why`, which is for their readers, and bundlers are told which constants they may drop where
 * nobody uses them.
 */
export const bareKernels: Plugin = {
  name: 'bare-wgsl',
  setup(build) {
    const folder = join(build.initialOptions.absWorkingDir ?? process.cwd(), 'kernels');
    build.onResolve({ filter: /\.wgsl$/ }, ({ path, importer, resolveDir }) => ({
      path: join(resolveDir, path),
      namespace: 'wgsl',
      suffix: `?${/(\w+_(cards|matrices|software))\.ts$/.exec(importer)?.[1] ?? 'all'}`,
      sideEffects: false,
    }));
    build.onResolve({ filter: /^kernels\?/ }, ({ path }) => ({ path, namespace: 'kernels', sideEffects: false }));
    build.onLoad({ filter: /.*/, namespace: 'wgsl' }, ({ path, suffix }) => ({
      contents: `export { ${variable(relative(folder, path))} as default } from 'kernels${suffix}';`,
    }));
    build.onLoad({ filter: /.*/, namespace: 'kernels' }, () => ({ contents: allKernels(folder) }));
    build.onLoad({ filter: /src[\\/]gpu[\\/]library\.ts$/ }, ({ path }) => ({
      contents: library,
      resolveDir: dirname(path),
    }));
    build.onLoad({ filter: /src[\\/](core|gpu|tensor|ops|optim)[\\/]\w+\.ts$/ }, ({ path }) => ({
      loader: 'ts',
      contents: readFileSync(path, 'utf8').replace(notes, '').replace(constants, '$1/* @__PURE__ */ $2'),
    }));
  },
};
