/**
 * `node scripts/count.mjs`: what a reader meets, counted in the source. Rooms with their files and lines, and how often
 * each of the house's rules is broken; with `--json` as JSON. Nothing is built or run.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '..');
const read = (file) => readFileSync(join(root, file), 'utf8');
const list = (folder, end) =>
  readdirSync(join(root, folder), { recursive: true })
    .map((file) => posix.join(folder, file))
    .filter((file) => file.endsWith(end) && !file.endsWith('.d.ts'));
const linesOf = (text) => text.trimEnd().split('\n');
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const sources = list('src', '.ts').map((file) => ({ file, text: read(file) }));
const kernels = list('kernels', '.wgsl').map((file) => ({ file, text: read(file) }));
const others = ['test', 'bench', 'examples']
  .flatMap((folder) => list(folder, '.ts'))
  .map((file) => ({ file, text: read(file) }));

/** Files and lines of each folder of src/. */
function rooms() {
  const found = new Map();
  for (const source of sources) {
    const room = source.file.split('/').length > 2 ? source.file.split('/')[1] : '(entry points)';
    found.set(room, [...(found.get(room) ?? []), source]);
  }
  return [...found].map(([room, files]) => {
    const lines = files.map(({ text }) => linesOf(text).length);
    return { room, files: files.length, lines: lines.reduce((a, b) => a + b, 0), longest: Math.max(...lines) };
  });
}

/** Functions of more than 40 lines. */
function longFunctions({ file, text }) {
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found = [];
  const visit = (node) => {
    if (ts.isFunctionLike(node) && node.body) {
      const [from, to] = [node.getStart(), node.end].map((at) => tree.getLineAndCharacterOfPosition(at).line);
      if (to - from >= 40) found.push(`${file}:${from + 1} (${to - from + 1} lines)`);
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

/** Files that reach themselves along imports. */
function circles(files) {
  const to = ({ file, text }) =>
    [...text.matchAll(/\bfrom\s*'(\.[^']*)\.js'/g)].map((m) => `${posix.join(dirname(file), m[1])}.ts`);
  const left = new Map(files.map((file) => [file.file, to(file)]));
  for (let before = Infinity; left.size < before; ) {
    before = left.size;
    for (const [file, imported] of left) if (!imported.some((i) => left.has(i))) left.delete(file);
  }
  return [...left.keys()];
}

const matches = (files, pattern) =>
  files.flatMap(({ file, text }) =>
    linesOf(text).flatMap((line, i) => (pattern.test(line) ? [`${file}:${i + 1}`] : [])),
  );
const longer = (files, most) => files.filter(({ text }) => linesOf(text).length > most).map(({ file }) => file);

const rules = {
  'files of src/ over 300 lines, kernels over 200': [...longer(sources, 300), ...longer(kernels, 200)],
  'functions of src/ over 40 lines': sources.flatMap(longFunctions),
  'lines over 120 columns in src/ and kernels/': matches([...sources, ...kernels], /^.{121}/),
  'lines over 120 columns in test/, bench/ and examples/': matches(others, /^.{121}/),
  'files that import themselves by way of others': circles([...sources, ...others]),
  'module variables that change': matches(sources, /^(export )?let /),
  'side tables (WeakMap, WeakSet)': matches(sources, /new Weak(Map|Set)/),
  'questions after a family by its name': matches(sources, /startsWith\('vit|isVit\b/),
  'private words (rung, ladder, wish, drawn, told, kept)': matches(
    sources,
    /\b(rungs?|ladders?|wish|Drawer|drawn|told|kept)\b/,
  ),
};

const totals = {
  'files of src/': sources.length,
  'lines of src/': rooms().reduce((n, r) => n + r.lines, 0),
  'median lines of a file': median(sources.map(({ text }) => linesOf(text).length)),
  'lines of src/moco/': rooms().find((r) => r.room === 'moco').lines,
  kernels: kernels.length,
};

if (process.argv.includes('--json')) console.log(JSON.stringify({ rooms: rooms(), totals, rules }, null, 2));
else {
  console.table(rooms());
  console.table(totals);
  for (const [rule, broken] of Object.entries(rules)) {
    console.log(`${String(broken.length).padStart(5)}  ${rule}`);
    if (process.argv.includes('--list')) for (const where of broken) console.log(`         ${where}`);
  }
}
