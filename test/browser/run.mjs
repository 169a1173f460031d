/**
 * Runs test/ops in headless Chromium: `node test/browser/run.mjs [test files]`. The tests and the engine are bundled for
 * a page, with `vitest` and `fast-check` replaced by the two files here, and served from 127.0.0.1.
 * Last line: `N passed, N failed`.
 */

import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import puppeteer from 'puppeteer-core';
import { patience } from '../../scripts/speed.mjs';
import { chromium } from './chromium.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const share = process.env.TEST_RUNS ?? '0.5';

/** One script with the given test files in it; calling `start()` in the page runs them. */
async function bundle(files) {
  const loads = files.map((f) => `await file(${JSON.stringify(f)}, () => import(${JSON.stringify(join(root, f))}))`);
  const contents = `import ${JSON.stringify(join(root, 'test/support/seed.ts'))};
    import { file, run } from ${JSON.stringify(join(here, 'vitest.ts'))};
    globalThis.start = async () => { for (const suite of [${loads.join(',')}]) await run(suite, globalThis.report); };`;
  const replace = {
    name: 'replace',
    setup(b) {
      b.onResolve({ filter: /^vitest$/ }, () => ({ path: join(here, 'vitest.ts') }));
      b.onResolve({ filter: /^fast-check$/ }, ({ importer }) =>
        importer.endsWith('/browser/fast-check.ts') ? undefined : { path: join(here, 'fast-check.ts') },
      );
    },
  };
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    loader: { '.wgsl': 'text' },
    define: { TEST_LIMIT: String(patience(180_000)), TEST_RUNS: share, TEST_SEED: process.env.TEST_SEED ?? '1' },
    plugins: [replace],
    ignoreAnnotations: true, // tests have side effects, whatever package.json says of the library
    logLevel: 'warning',
  });
  return outputFiles[0].text;
}

/** Serves the script and an empty page that loads it; resolves to the page's address. */
async function serve(script) {
  const server = createServer((request, response) => {
    const js = request.url === '/tests.js';
    response.writeHead(200, { 'content-type': js ? 'text/javascript' : 'text/html; charset=utf-8' });
    response.end(
      js ? script : '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/tests.js"></script>',
    );
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

const counts = { passed: 0, failed: 0 };

function report({ name, error, ms }) {
  counts[error ? 'failed' : 'passed']++;
  if (error) console.log(`FAIL ${name}\n${error.replace(/^/gm, '    ')}`);
  else if (process.env.VERBOSE || ms > 10_000) console.log(`ok   ${name} (${Math.round(ms)} ms)`);
}

async function main() {
  const all = () =>
    readdirSync(join(root, 'test/ops'))
      .filter((f) => f.endsWith('.test.ts'))
      .map((f) => `test/ops/${f}`);
  const files = process.argv.length > 2 ? process.argv.slice(2) : all();
  const server = await serve(await bundle(files));
  const browser = await puppeteer.launch(await chromium());
  try {
    const page = await browser.newPage();
    page.on('console', (message) => message.type() === 'error' && console.log(`page: ${message.text()}`));
    const crash = new Promise((_, reject) => {
      page.on('error', reject);
      page.on('pageerror', reject);
      browser.on('disconnected', () => reject(new Error('Chromium ended')));
    });
    await page.exposeFunction('report', report);
    await page.goto(server.url);
    await Promise.race([
      page.waitForFunction('globalThis.start', { timeout: patience(60_000) }).then(() => page.evaluate('start()')),
      crash,
    ]);
  } catch (e) {
    report({ name: 'the page runs to its end', error: String(e.stack ?? e) });
  } finally {
    browser.removeAllListeners('disconnected');
    await browser.close();
    server.close();
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  return counts.failed === 0 && counts.passed > 0 ? 0 : 1;
}

process.exit(await main());
