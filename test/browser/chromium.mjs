import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = join(dirname(fileURLToPath(import.meta.url)), '../../node_modules/.cache');
const home = join(cache, 'dawngrad-chromium');

/**
 * Unpacks the headless Chromium that npm's `@sparticuz/chromium` ships, with the system libraries it needs, once an
 * installation, and returns how to start it with WebGPU on its own SwiftShader. No GPU, display or system package is needed.
 */
export async function chromium() {
  if (!existsSync(home)) unpack();
  const { VK_ICD_FILENAMES, VK_DRIVER_FILES, ...env } = process.env;
  return {
    executablePath: join(home, 'chromium'),
    headless: 'shell',
    pipe: true,
    protocolTimeout: 0, // whoever waits for the page has a limit of his own
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
    env: { ...env, LD_LIBRARY_PATH: join(home, 'al2023/lib'), FONTCONFIG_PATH: join(home, 'fonts') },
  };
}

/**
 * The package unpacks into the temporary folder, and its system libraries only where it believes to be on Amazon's
 * servers: it is told both, in a process of its own, before it is loaded. The folder is renamed when complete, so that
 * a second process never starts half of it.
 */
function unpack() {
  const draft = `${home}-${process.pid}`;
  mkdirSync(draft, { recursive: true });
  const code = `const { default: packed } = await import('@sparticuz/chromium'); await packed.executablePath();`;
  execFileSync(process.execPath, ['--input-type=module', '-e', code], {
    cwd: dirname(fileURLToPath(import.meta.url)),
    env: { ...process.env, TMPDIR: draft, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    renameSync(draft, home);
  } catch (e) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(home)) throw e;
  }
}
