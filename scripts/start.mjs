/**
 * `npm start -- <options>`: the demo. Installs and builds what is missing, then runs `dawngrad pretrain <options>`
 * and ends as that does.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { build, install, root } from './setup.mjs';

try {
  await install();
  await build({ types: false });
} catch {
  process.exit(1); // it has said why
}

const child = spawn(process.execPath, [join(root, 'dist/cli.js'), 'pretrain', ...process.argv.slice(2)], {
  stdio: 'inherit',
});

/**
 * The child saves its work when it is interrupted, so this process outlives every signal. A terminal sends Ctrl-C and
 * its own closing to all processes in it, the child too; only what came here alone is passed on, once: npm repeats
 * signals.
 */
const inTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
const passed = {};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    const now = performance.now();
    const repeated = now - (passed[signal] ?? -Infinity) < 500;
    passed[signal] = now;
    if (!repeated && (signal === 'SIGTERM' || !inTerminal)) child.kill(signal);
  });
}

// npm passes signals to the shell between it and this process, which dies of them and says nothing
const shell = process.ppid;
const watch = setInterval(() => {
  if (process.ppid === shell) return;
  clearInterval(watch);
  process.emit('SIGTERM');
}, 500).unref();
if (!process.env.npm_lifecycle_event) clearInterval(watch);

child.on('error', (e) => {
  console.error(`start: cannot run Node; ${e.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
