import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleOf, gzippedKB, uses } from '../../bench/bundle.js';
import { patience } from '../../scripts/speed.mjs';

/** The package as a stranger has it: packed, installed into an empty folder and imported by its name. */
const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'dawngrad-package-'));
const installed = join(folder, 'node_modules/dawngrad');
let packed: string[] = [];

/** Runs a command in the stranger's folder, on the driver that a machine without settings would find. */
function run(command: string, args: string[], cwd = folder): string {
  const { NODE_OPTIONS, VK_ICD_FILENAMES, VK_DRIVER_FILES, ...env } = process.env;
  try {
    return execFileSync(command, args, {
      cwd,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: Math.ceil(patience(150_000)),
      shell: process.platform === 'win32',
    });
  } catch (e) {
    const { stdout, stderr } = e as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`, { cause: e });
  }
}

/** npm's own cache and notices stay out of it: nothing may come from a network. */
const npm = (args: string[], cwd = folder) =>
  run(
    'npm',
    [args[0], '--offline', '--no-audit', '--no-fund', '--cache', join(folder, 'cache'), ...args.slice(1)],
    cwd,
  );

/** Runs a module of a stranger's and returns what it prints. */
function script(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return run(process.execPath, [name]).trim();
}

const filesOf = (dir: string) =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((f) => f.isFile())
    .map((f) => join(f.parentPath, f.name).slice(dir.length + 1));

/** Lends packages of the repository's to the stranger: those he would install himself. */
function lend(...names: string[]): void {
  for (const name of names) {
    const to = join(folder, 'node_modules', name);
    mkdirSync(join(to, '..'), { recursive: true });
    if (!existsSync(to)) symlinkSync(join(root, 'node_modules', name), to, 'junction');
  }
}

beforeAll(() => {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'stranger', private: true, type: 'module' }));
  npm(['pack', '--pack-destination', folder], root); // builds what is not up to date
  npm(['install', join(folder, readdirSync(folder).find((f) => f.endsWith('.tgz'))!), '--omit=peer']);
  packed = filesOf(installed);
  lend('webgpu', 'sharp', '@sparticuz/chromium', '@webgpu/types', 'typescript');
}, patience(240_000));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the package', () => {
  it('brings no other package', () => {
    expect(
      readdirSync(join(folder, 'node_modules'))
        .filter((f) => !f.startsWith('.'))
        .sort(),
    ).toEqual(['@sparticuz', '@webgpu', 'dawngrad', 'sharp', 'typescript', 'webgpu']);
  });

  it('holds what is run and read, and nothing else', () => {
    expect(
      packed.filter((f) => !/^(dist|kernels)[\\/]|^(package\.json|README\.md|CHANGELOG\.md|LICENSE)$/.test(f)),
    ).toEqual([]);
    expect(packed.filter((f) => /test|\.node\.ts$|\.map$/.test(f))).toEqual([]);
    expect(packed).toEqual(
      expect.arrayContaining([
        'package.json',
        'LICENSE',
        ...['cli', 'engine', 'index', 'node', 'reference'].map((f) => join('dist', `${f}.js`)),
      ]),
    );
  });

  it('has every file that package.json names', () => {
    const { bin, exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    const named = [
      ...Object.values(bin),
      ...Object.values(exports).flatMap((e) => (typeof e === 'string' ? [e] : Object.values(e as object))),
    ] as string[];
    expect(named.filter((f) => !existsSync(join(installed, f)))).toEqual([]);
  });

  it('names no folder of the machine it was built on', () => {
    const places = [root, ...[homedir(), tmpdir()].filter((f) => f.length > 5)];
    expect(
      packed.filter((f) => places.some((place) => readFileSync(join(installed, f), 'utf8').includes(place))),
    ).toEqual([]);
  });

  it('multiplies matrices on a software adapter', () => {
    const printed = script(
      'product.mjs',
      `
      import { device, matmul, tensor } from 'dawngrad';
      await device({ adapter: 'software' });
      const a = tensor([1, 2, 3, 4, 5, 6], [2, 3]);
      const b = tensor([1, 0, 0, 1, 1, 1], [3, 2]);
      const c = matmul(a, b);
      console.log(c.shape.join('×'), Array.from(await c.data()).join(' '));
      process.exit(0);`,
    );
    expect(printed).toBe('2×2 4 5 10 11');
  });

  it('gives the engine alone as dawngrad/engine, the same as in dawngrad', () => {
    const printed = script(
      'engine.mjs',
      `
      import * as all from 'dawngrad';
      import * as engine from 'dawngrad/engine';
      const same = Object.keys(engine).every((name) => all[name] === engine[name]);
      console.log(same, 'matmul' in engine, 'MoCo' in engine);`,
    );
    expect(printed).toBe('true true false');
  });

  it('costs the page that imports it what bench/bundle.ts measures', async () => {
    for (const use of Object.values(uses)) {
      const [source, published] = await Promise.all(
        [use, use.replace(/\.\/src\/(\w+)\.ts/, './dist/$1.js')].map((code) => bundleOf(root, code)),
      );
      // 1.02 until: "expected 29.586 to be less than 29.54532"
      expect(gzippedKB(published.files)).toBeLessThan(1.03 * gzippedKB(source.files));
    }
  });

  it('gives the mirrors as dawngrad/reference', () => {
    expect(
      script(
        'reference.mjs',
        `import * as reference from 'dawngrad/reference'; console.log(typeof reference.matmul, ` +
          `typeof reference.conv2d);`,
      ),
    ).toBe('function function');
  });

  it('gives data sets and runs on disk as dawngrad/node', () => {
    expect(
      script(
        'node.mjs',
        `import { openPictures, startRun } from 'dawngrad/node'; console.log(typeof openPictures, typeof startRun);`,
      ),
    ).toBe('function function');
  });

  it('is a command', () => {
    expect(npm(['exec', '--', 'dawngrad', '--help'])).toContain('pretrain');
    const { version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    expect(npm(['exec', '--', 'dawngrad', '--version']).trim()).toBe(version);
  });

  it('finds the packages beside it and an adapter that works', () => {
    const printed = npm(['exec', '--', 'dawngrad', 'doctor']);
    expect(printed).toMatch(/Packages: webgpu \d\S*, sharp \d\S*, @sparticuz\/chromium \d/);
    expect(printed).toMatch(/adapter: (?!none)[^]*right +matmul[^]*GFLOP\/s/);
  });

  const entries = ['index', 'engine', 'node', 'reference'];

  it('may be required: no module of an entry awaits at its top', async () => {
    const entryPoints = entries.map((name) => join(installed, `dist/${name}.js`));
    const options = {
      entryPoints,
      bundle: true,
      write: false,
      platform: 'node',
      format: 'cjs',
      outdir: 'out',
      logLevel: 'silent',
    } as const;
    const { errors } = await build({ ...options, external: ['webgpu', 'sharp', '@sparticuz/chromium'] });
    expect(errors).toEqual([]); // esbuild turns no top-level await into CommonJS
  });

  it('is required by Node 22 and newer, or says that it is a module', () => {
    const text = ['dawngrad', 'dawngrad/engine', 'dawngrad/node', 'dawngrad/reference'].map(
      (name) => `typeof require('${name}').${name.endsWith('node') ? 'startRun' : 'matmul'}`,
    );
    writeFileSync(join(folder, 'required.cjs'), `console.log(${text.join(', ')});`);
    const required = () => run(process.execPath, ['required.cjs']).trim();
    if ('require_module' in process.features) expect(required()).toBe('function function function function');
    else expect(required).toThrow('ERR_REQUIRE_ESM');
  });

  it.each([
    ['bundler', 'esnext'],
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
  ])('has types that moduleResolution %s finds, with nothing else installed', (moduleResolution, module) => {
    writeFileSync(
      join(folder, 'stranger.ts'),
      `
      import { device, matmul, type Shape, type Tensor, tensor } from 'dawngrad';
      import { matmul as same } from 'dawngrad/engine';
      import { openPictures } from 'dawngrad/node';
      import * as reference from 'dawngrad/reference';
      await device({ adapter: 'software' });
      const c: Tensor = same(tensor([1], [1, 1]), matmul(tensor([2], [1, 1]), tensor([3], [1, 1])));
      const shape: Shape = c.shape;
      // @ts-expect-error: a shape is no text, so the types are not any
      const wrong: string = c.shape;
      export { openPictures, reference, shape, wrong };`,
    );
    for (const [lib, types] of [
      [['es2022'], []],
      [['es2022', 'dom'], []],
      [['es2022', 'dom'], ['@webgpu/types']],
    ]) {
      const options = {
        target: 'es2022',
        lib,
        types,
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        module,
        moduleResolution,
      };
      writeFileSync(
        join(folder, 'tsconfig.json'),
        JSON.stringify({ compilerOptions: options, files: ['stranger.ts'] }),
      );
      expect(run(process.execPath, [join(folder, 'node_modules/typescript/bin/tsc'), '-p', folder])).toBe('');
    }
  });
});
