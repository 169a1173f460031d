/**
 * `npm run trials -- [NAME …] [--minutes N] [--rounds N] [--seed N]`: tries what is promised, against random attacks and
 * accidents, and tells what was tried and what was lost. Each trial is a file of test/trials/; without a name all run,
 * a minute each. Ends with 1 if anything was lost.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { install, root } from './setup.mjs';

const END = '.trial.ts';
const known = readdirSync(join(root, 'test/trials'))
  .filter((file) => file.endsWith(END))
  .map((file) => file.slice(0, -END.length));

function refuse(message) {
  console.error(`trials: ${message}`);
  process.exit(2);
}

function options() {
  try {
    const text = { type: 'string' };
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { minutes: text, rounds: text, seed: text },
    });
    const numbers = Object.entries(values).map(([name, value]) => {
      const least = name === 'seed' ? 0 : Number.MIN_VALUE;
      if (!(Number(value) >= least) || (name !== 'minutes' && !Number.isInteger(Number(value))))
        refuse(`--${name} must be a number above 0; got ${value}. Correct it.`);
      return [name, Number(value)];
    });
    const unknown = positionals.find((name) => !known.includes(name));
    if (unknown !== undefined) refuse(`a trial must be one of ${known.join(', ')}; got ${unknown}. Correct its name.`);
    return { names: positionals.length ? positionals : known, ...Object.fromEntries(numbers) };
  } catch (error) {
    return refuse(`${error.message}`);
  }
}

const { names, minutes, rounds, seed } = options();
await install();
const { build } = await import('esbuild');
const outdir = join(root, 'node_modules/.cache/dawngrad-trials');
await build({
  entryPoints: ['trial.ts', ...names.map((name) => `${name}${END}`)].map((file) => join(root, 'test/trials', file)),
  outdir,
  bundle: true,
  splitting: true, // the classes of errors are the same in all
  platform: 'node',
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  loader: { '.wgsl': 'text' },
  logLevel: 'error',
  define: { TEST_SEED: 'undefined', TEST_RUNS: '1' },
  external: ['webgpu', 'sharp', '@sparticuz/chromium', 'esbuild', 'puppeteer-core'],
});
const load = (file) => import(pathToFileURL(join(outdir, file)));
const { conduct, told } = await load('trial.mjs');
for (const name of names) {
  const { default: trial } = await load(`${name}.trial.mjs`);
  const limits = { rounds, seed, minutes: minutes ?? (rounds === undefined ? 1 : undefined) };
  const outcome = await conduct(trial, limits);
  console.log(told(name, trial, outcome));
  if (outcome.tally.losses > 0) process.exitCode = 1;
}
