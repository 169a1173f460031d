/**
 * `npm test`: sets up what is missing and runs every test. `npm test -- unit browser` runs these stages alone, and any
 * other word is a filter on the names of test files: `npm test -- conv2d`. The last line is `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { build, install, root, run, seconds } from './setup.mjs';
import { limit } from './speed.mjs';

const node = process.execPath;
const bin = (path) => join(root, 'node_modules', path);
const opTests = readdirSync(join(root, 'test/ops'))
  .filter((f) => f.endsWith('.test.ts'))
  .map((f) => `test/ops/${f}`);

/** Tests of kernels for graphics cards that threads play: SwiftShader does, others would compile them for minutes more. */
const playedOnce = /(_f32|_matrix|conv2d_stats)\.test\.ts$/;

/** What only an adapter with halves can show, besides op tests: SwiftShader has none. */
const halfTests = ['test/moco/precision.test.ts', 'test/golden/precision.test.ts'];

/** By name: what it is, and a function from filters to { passed, failed } or to a reason to leave it out. */
const stages = {
  types: ['the compiler, the documentation of everything public, the formatter and the linter', types],
  unit: ['every test, on SwiftShader', (filters) => vitest(filters, {})],
  lavapipe: ['the op tests once more, and mixed precision, on Mesa', onLavapipe],
  browser: [
    'the op tests once more, in headless Chromium',
    (filters) =>
      inBrowser(
        join(root, 'test/browser/run.mjs'),
        matching(filters).filter((f) => !playedOnce.test(f) && !f.endsWith('/variants.test.ts')),
      ),
  ],
  page: ['examples/browser and an exported encoder in transformers.js, in headless Chromium', pages],
};

async function main(words) {
  const filters = words.filter((word) => !(word in stages));
  const named = words.filter((word) => word in stages);
  const chosen = named.length
    ? named
    : Object.keys(stages).filter((stage) => stage !== 'types' || filters.length === 0);
  const total = { passed: 0, failed: 0 };
  const lines = [];
  const made = await install()
    .then(() => build({ types: true }))
    .then(
      () => true,
      () => false,
    );
  if (!made) {
    total.failed++;
    lines.push('set-up: failed, see above');
  }
  for (const stage of made ? chosen : []) {
    const [what, body] = stages[stage];
    console.log(`\n${stage}: ${what}`);
    const from = performance.now();
    const result = await body(filters).catch((e) => {
      console.log(e.stack);
      return { passed: 0, failed: 1 };
    });
    const counts = result.skipped ? `left out: ${result.skipped}` : `${result.passed} passed, ${result.failed} failed`;
    lines.push(`${stage}: ${counts} (${seconds(from)})`);
    console.log(lines.at(-1));
    total.passed += result.passed ?? 0;
    total.failed += result.failed ?? 0;
  }
  console.log(`\n${lines.join('\n')}\n\n${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
}

const sum = (a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed });

async function types() {
  const commands = [
    ['typescript/bin/tsc', '--noEmit'],
    ['typedoc/bin/typedoc', '--emit', 'none'],
    ['@biomejs/biome/bin/biome', 'check', '--error-on-warnings'],
  ];
  const results = [];
  for (const [command, ...args] of commands) results.push(await succeeds([node, bin(command), ...args]));
  return results.reduce(sum);
}

/** A command that is a test by itself. */
const succeeds = (command) =>
  run(command).then(
    () => ({ passed: 1, failed: 0 }),
    (e) => {
      console.log(e.message);
      return { passed: 0, failed: 1 };
    },
  );

async function vitest(filters, env) {
  const results = bin(`.cache/dawngrad-results-${process.pid}.json`);
  const code = await show(
    [
      node,
      bin('vitest/vitest.mjs'),
      'run',
      ...filters,
      '--reporter=default',
      '--reporter=json',
      `--outputFile=${results}`,
    ],
    env,
  );
  if (!existsSync(results)) return { passed: 0, failed: 1 };
  const { numPassedTests: passed, numFailedTests, testResults } = JSON.parse(readFileSync(results, 'utf8'));
  rmSync(results);
  const unloaded = testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  ).length;
  const failed = numFailedTests + unloaded;
  return { passed, failed: code !== 0 && failed === 0 ? 1 : failed };
}

async function onLavapipe(filters) {
  const env = await lavapipe();
  if (!env) return { skipped: 'no Mesa of 24 or newer here; scripts/lavapipe.sh unpacks one on Debian 12' };
  const files = matching(filters, [...opTests, ...halfTests]).filter((f) => !playedOnce.test(f));
  return files.length ? vitest(files, { TEST_RUNS: '0.5', ...env }) : { skipped: 'no op test matches' };
}

/**
 * The variables that make Dawn take lavapipe: the one that scripts/lavapipe.sh unpacked, or the system's if Dawn
 * accepts it.
 */
async function lavapipe() {
  const unpacked = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'dawngrad/lavapipe');
  for (const base of [unpacked, '/']) {
    const folder = join(base, 'usr/share/vulkan/icd.d');
    const manifest = existsSync(folder) && readdirSync(folder).find((f) => /^lvp_icd.*\.json$/.test(f));
    if (!manifest) continue;
    const libraries = readdirSync(join(base, 'usr/lib'))
      .filter((f) => f.endsWith('-linux-gnu'))
      .map((f) => join(base, 'usr/lib', f));
    const env = {
      VK_ICD_FILENAMES: join(folder, manifest),
      ...(base === '/' ? {} : { LD_LIBRARY_PATH: libraries.join(':') }),
    };
    const probe = `import { create } from 'webgpu'; const gpu = create([]); console.log((await gpu.requestAdapter())?.info.description);`;
    const name = await run([node, '--input-type=module', '-e', probe], { env: { ...process.env, ...env } }).catch(
      () => '',
    );
    if (/llvmpipe/.test(name)) return env;
  }
  return undefined;
}

async function pages(filters) {
  if (filters.length) return { skipped: 'no test file by that name' };
  const results = [];
  for (const script of ['example', 'transformers'])
    results.push(await inBrowser(join(root, `test/browser/${script}.mjs`)));
  return results.reduce((a, b) => ({ ...b, passed: a.passed + b.passed, failed: a.failed + b.failed }));
}

/** Runs a script that prints `N passed, N failed` at its end, with the test files it is for. */
async function inBrowser(script, files) {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return { skipped: 'npm has this Chromium for linux-x64 only' };
  if (files?.length === 0) return { skipped: 'nothing matches' };
  let printed = '';
  const code = await show([node, script, ...(files ?? [])], { TEST_RUNS: '0.5' }, (text) => (printed += text));
  const [passed, failed] = (/(\d+) passed, (\d+) failed\s*$/.exec(printed) ?? [0, 0, 1]).slice(1).map(Number);
  return { passed, failed: code !== 0 && failed === 0 ? 1 : failed };
}

const matching = (filters, tests = opTests) =>
  tests.filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));

/** The longest a stage may take on a quiet machine of two cores; a stage that hangs is killed and counts as failed. */
const LIMIT = 18 * 60_000;

/** Runs a command in sight; `also` gets what it prints. Resolves to its exit code. */
function show([command, ...args], env, also) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', also ? 'pipe' : 'inherit', 'inherit'],
    });
    const from = performance.now();
    const callOff = limit(LIMIT, () => {
      console.log(`killed after ${seconds(from)}: more than ${LIMIT / 60_000} minutes on a quiet machine`);
      child.kill('SIGKILL');
    });
    child.stdout?.on('data', (data) => {
      process.stdout.write(data);
      also(data);
    });
    child.on('close', (code, signal) => {
      callOff();
      if (signal) console.log(`ended by ${signal}`);
      resolve(code ?? 1);
    });
  });
}

await main(process.argv.slice(2));
