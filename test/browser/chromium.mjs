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
  if (!existsSync(home)) await unpack();
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
 * servers: it is told both. The folder is renamed when complete, so that a second process never starts half of it.
 */
async function unpack() {
  const draft = `${home}-${process.pid}`;
  const before = {
    TMPDIR: process.env.TMPDIR,
    LD_LIBRARY_PATH: process.env.LD_LIBRARY_PATH,
    FONTCONFIG_PATH: process.env.FONTCONFIG_PATH,
  };
  mkdirSync(draft, { recursive: true });
  Object.assign(process.env, { TMPDIR: draft, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x' });
  const { default: packed } = await import('@sparticuz/chromium');
  await packed.executablePath();
  delete process.env.AWS_EXECUTION_ENV;
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  try {
    renameSync(draft, home);
  } catch (e) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(home)) throw e;
  }
}
