/** What `npm start` and `npm test` do first. Plain Node: nothing is installed yet. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...path) => join(root, ...path);
const changed = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

/** Installs the dependencies if that has not been done since package-lock.json changed. */
export async function install() {
  // npm writes this file last, so an installation that was cut short is done again
  if (changed(at('node_modules/.package-lock.json')) >= changed(at('package-lock.json'))) return;
  await announce('Installing packages', async () => {
    const npm = process.env.npm_execpath?.endsWith('npm-cli.js')
      ? [process.execPath, process.env.npm_execpath]
      : ['npm'];
    await run([...npm, 'ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
    const now = new Date();
    utimesSync(at('node_modules/.package-lock.json'), now, now);
  });
}

/** Builds dist/ if it is missing or older than what it is made from, with declaration files (slow) if `types`. */
export async function build({ types }) {
  const stamp = at('node_modules/.cache/dawngrad-built');
  const made = changed(stamp);
  const inputs = ['src', 'kernels', 'scripts', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsup.config.ts'];
  const complete =
    existsSync(at('dist/cli.js')) && existsSync(stamp) && (!types || readFileSync(stamp, 'utf8') === 'types');
  if (complete && inputs.every((input) => newest(at(input)) < made)) return;
  await announce('Building', async () => {
    const from = new Date(); // an edit during the build makes it old
    await run([
      process.execPath,
      at('node_modules/tsup/dist/cli-default.js'),
      '--silent',
      ...(types ? [] : ['--no-dts']),
    ]);
    mkdirSync(at('node_modules/.cache'), { recursive: true });
    writeFileSync(stamp, types ? 'types' : 'scripts');
    utimesSync(stamp, from, from);
  });
}

/** The time of the last change of a file or of anything in a folder. */
function newest(path) {
  if (!existsSync(path)) return 0;
  const own = statSync(path);
  return own.isDirectory()
    ? Math.max(own.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
    : own.mtimeMs;
}

/** One line on stderr for a piece of set-up, with the time it took. A failure is told and thrown. */
async function announce(what, body) {
  const from = performance.now();
  process.stderr.write(`${what} … `);
  try {
    await body();
  } catch (e) {
    process.stderr.write(`failed\n${e.message}\n`);
    throw e;
  }
  process.stderr.write(`${seconds(from)}\n`);
}

export const seconds = (from) => `${((performance.now() - from) / 1000).toFixed(1)} s`;

/** Runs a command silently; if it fails, the error is what it printed. */
export function run([command, ...args], options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32' && command === 'npm',
      ...options,
    });
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (printed += data));
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(printed) : reject(new Error(printed.trim() || `${command} ended with code ${code}`)),
    );
  });
}
