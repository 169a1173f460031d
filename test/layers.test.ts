import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { build } from 'esbuild';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const list = (folder: string, end: string) =>
  (readdirSync(join(root, folder), { recursive: true }) as string[])
    .filter((f) => f.endsWith(end) && !f.includes('node_modules'))
    .map((f) => `${folder}/${f}`)
    .sort();

/** What each layer stands on, as ARCHITECTURE.md draws it; it may use everything below these too. */
const below: Record<string, string[]> = {
  core: [],
  reference: ['core'],
  gpu: ['core'],
  backend: ['reference', 'gpu'],
  tensor: ['backend'],
  compile: ['tensor'],
  ops: ['compile'],
  nn: ['ops', 'io'],
  optim: ['nn'],
  io: ['core'],
  data: ['core'],
  input: ['ops', 'data'],
  moco: ['optim'],
  checkpoints: ['moco', 'input', 'io'],
  eval: ['checkpoints'],
  train: ['eval'],
  report: ['eval'],
  studies: ['train', 'report'],
  engine: ['optim'],
  entry: ['studies', 'engine'],
  cli: ['entry'],
};

const reach = (layer: string): Set<string> => new Set([layer, ...below[layer].flatMap((b) => [...reach(b)])]);

const entries: Record<string, string> = { 'src/engine.ts': 'engine', 'src/index.ts': 'entry', 'src/node.ts': 'entry' };

/** The files directly in src/ are the entry points. */
const layerOf = (file: string): string => /^src\/(\w+)\//.exec(file)?.[1] ?? entries[file];

const sources = list('src', '.ts').filter((f) => !f.endsWith('.d.ts'));
const imports = (file: string, pattern: RegExp): string[] => [...read(file).matchAll(pattern)].map((m) => m[1]);
const anyImport = /(?:^\s*(?:import|export)\b[^;'"]*?\bfrom\s*|^\s*import\s*|\bimport\(\s*)['"]([^'"]+)['"]/gm;
/** Imports that are still there at run time. */
const staticImport = /^\s*(?:(?:import|export)\b(?! type\b)[^;'"]*?\bfrom|import)\s*['"]([^'"]+)['"]/gm;

const forNode = (file: string) => file.endsWith('.node.ts') || file === 'src/node.ts' || file.startsWith('src/cli/');

/** Files that reach themselves along imports. */
function circles(graph: Map<string, string[]>): string[] {
  const left = new Map(graph);
  for (let before = Infinity; left.size < before; ) {
    before = left.size;
    for (const [file, to] of left) if (!to.some((t) => left.has(t))) left.delete(file);
  }
  return [...left.keys()];
}

/** Functions of more than 40 lines. */
function longFunctions(file: string): string[] {
  const tree = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest);
  const found: string[] = [];
  const visit = (node: ts.Node) => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const [from, to] = [node.getStart(tree), node.end].map((at) => tree.getLineAndCharacterOfPosition(at).line);
      if (to - from >= 40) found.push(`${file}:${from + 1} (${to - from + 1} lines)`);
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

describe('layers', () => {
  it('every folder of src/ is a known layer', () => {
    expect([...new Set(sources.map(layerOf))].filter((layer) => !(layer in below))).toEqual([]);
  });

  it('every file imports only what is below it', () => {
    const wrong = sources.flatMap((file) => {
      const allowed = reach(layerOf(file));
      const here = imports(file, anyImport).filter((to) => to.startsWith('.') && !to.endsWith('.wgsl'));
      return here
        .filter((to) => !allowed.has(layerOf(posix.join(dirname(file), to).replace(/\.js$/, '.ts'))))
        .map((to) => `${file} → ${to}`);
    });
    expect(wrong).toEqual([]);
  });

  it('no file imports itself by way of others', () => {
    const to = (file: string) =>
      imports(file, anyImport)
        .filter((t) => /^\..*\.js$/.test(t))
        .map((t) => posix.join(dirname(file), t).replace(/\.js$/, '.ts'));
    const graph = new Map(
      [...sources, ...list('test', '.ts'), ...list('bench', '.ts')].map((file) => [file, to(file)]),
    );
    expect(circles(graph)).toEqual([]);
  });

  it('a part of a table imports kernels, types and other parts alone, so that it is one file for a page', () => {
    const parts = sources.filter((f) => /_(cards|matrices|software)\.ts$/.test(f));
    expect(parts.length).toBeGreaterThan(5);
    const wrong = [...parts, 'src/gpu/f16-storage.ts', 'src/gpu/adapter.node.ts', 'src/core/format.ts'].flatMap(
      (file) =>
        imports(file, staticImport)
          .filter((to) => !/\.wgsl$|_(cards|matrices)\.js$|\.node\.js$/.test(to))
          .map((to) => `${file} → ${to}`),
    );
    expect(wrong).toEqual([]);
  });

  it('the methods of moco/ are read in an hour', () => {
    // settings and presets are tables, which are looked up
    const methods = list('src/moco', '.ts').filter((file) => !/(config|presets)\.ts$/.test(file));
    const lines = methods.reduce((n, file) => n + read(file).trimEnd().split('\n').length, 0);
    expect(lines, 'lines of src/moco/ without config.ts and presets.ts').toBeLessThan(1000);
  });

  it('no file imports a package, and only files for Node import Node', () => {
    const wrong = sources.flatMap((file) => {
      const outside = imports(file, staticImport).filter((to) => !to.startsWith('.'));
      return outside.filter((to) => !(forNode(file) && to.startsWith('node:'))).map((to) => `${file} → ${to}`);
    });
    expect(wrong).toEqual([]);
  });

  it('functions of src/ have at most 40 lines', () => {
    expect(sources.flatMap(longFunctions)).toEqual([]);
  });

  it('lines have at most 120 columns', () => {
    const others = ['test', 'bench', 'examples'].flatMap((folder) => list(folder, '.ts'));
    const long = [...sources, ...others, ...list('kernels', '.wgsl')].flatMap((file) =>
      read(file)
        .split('\n')
        .flatMap((line, i) => (/^.{121}/.test(line) ? [`${file}:${i + 1}`] : [])),
    );
    expect(long).toEqual([]);
  });

  it('files of src/ have at most 300 lines, kernels 200', () => {
    const long = [...sources, ...list('kernels', '.wgsl')].map((file) => ({
      file,
      lines: read(file).trimEnd().split('\n').length,
    }));
    expect(long.filter(({ file, lines }) => lines > (file.startsWith('kernels/') ? 200 : 300))).toEqual([]);
  });
});

describe('package.json', () => {
  it('has no dependencies', () => {
    expect(JSON.parse(read('package.json')).dependencies).toEqual({});
  });

  it('has a lock file that names no registry', () => {
    expect(read('package-lock.json')).not.toContain('"resolved": "http');
  });
});

describe('browsers', () => {
  it.each(['src/index.ts', 'src/engine.ts', 'src/reference/entry.ts'])(
    '%s is bundled for them, as a user would, without Node',
    async (entry) => {
      const { errors, warnings, metafile } = await build({
        entryPoints: [join(root, entry)],
        absWorkingDir: root,
        bundle: true,
        write: false,
        metafile: true,
        format: 'esm',
        platform: 'browser',
        loader: { '.wgsl': 'text' },
        logLevel: 'silent',
      });
      expect([...errors, ...warnings].map((m) => m.text)).toEqual([]);
      expect(Object.values(metafile.outputs).flatMap((o) => o.imports)).toEqual([]);
    },
  );
});
