/**
 * `npm run bench`: measures every operation against its peers on this machine's adapter. What the words and
 * options mean is in bench/README.md. Installs the peers, which only the bench needs, when it is first run.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { install, root, run } from './setup.mjs';

const peers = join(root, 'bench/peers');
const bundle = (name) => join(root, `node_modules/.cache/${name}.mjs`);
const bundled = { bundle: true, platform: 'node', format: 'esm', loader: { '.wgsl': 'text' }, logLevel: 'error' };
const npm = process.env.npm_execpath?.endsWith('npm-cli.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
const args = process.argv.slice(2);
const alone = ['--no-peers', '--replay', '--scale', '--data', '--against', '--model', '--card', '--variants'].some(
  (flag) => args.includes(flag),
);

await install();
if (!alone && !existsSync(join(peers, 'node_modules/.package-lock.json'))) {
  process.stderr.write('Installing tfjs and jax-js …\n');
  await run([...npm, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: peers });
}

const { build } = await import('esbuild');

/** Bundles the bench of a tree into a file of this one's packages. */
async function bundleBench(tree, name) {
  await build({
    ...bundled,
    entryPoints: [join(tree, 'bench/run.ts')],
    outfile: bundle(name),
    external: ['webgpu', 'sharp', '@sparticuz/chromium', 'esbuild'],
  });
  return bundle(name);
}

const at = args.indexOf('--against');
if (at >= 0) {
  const { against } = await import('./against.mjs');
  await against(args[at + 1], args.toSpliced(at, 2), bundleBench);
  process.exit();
}
await bundleBench(root, 'dawngrad-bench');
if (!alone)
  await build({
    ...bundled,
    entryPoints: [join(peers, 'tfjs.js')],
    outfile: bundle('dawngrad-bench-tfjs'),
    mainFields: ['module', 'main'],
    banner: { js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);` },
  });
spawn(process.execPath, ['--expose-gc', bundle('dawngrad-bench'), ...args], { stdio: 'inherit' }).on('exit', (code) =>
  process.exit(code ?? 1),
);
