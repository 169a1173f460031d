/**
 * transformers.js loads an exported folder as an image-feature-extraction pipeline, in headless Chromium, and its
 * features of a picture are dawngrad's.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';
import { encodePng, syntheticPictures } from '../../dist/index.js';
import { serveFiles } from '../../scripts/serve.mjs';
import { patience } from '../../scripts/speed.mjs';
import { chromium } from './chromium.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const place = 'node_modules/.cache/dawngrad-transformers';
const at = (...path) => join(root, place, ...path);
const dawngrad = (...args) => execFileSync(process.execPath, [join(root, 'dist/cli.js'), ...args], { stdio: 'pipe' });

/** Trains an encoder for a moment, exports it, and returns its features of the first picture. */
async function exported() {
  rmSync(at(), { recursive: true, force: true });
  const { data, count, classes, labels } = syntheticPictures({ count: 32, seed: 3 });
  for (let i = 0; i < count; i++) {
    const folder = at('pictures', classes[labels[i]]);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${i}.png`), await encodePng(data.subarray(i * 3072, (i + 1) * 3072), 32, 32));
  }
  dawngrad('pretrain', at('pictures'), '--out', at('run'), '--epochs', '1', '--batch', '8', '--K', '16');
  dawngrad('embed', at('pictures'), '--checkpoint', at('run'), '--out', at('features.csv'));
  dawngrad('export', at('run'), at('models', 'encoder'));
  const [head, first] = readFileSync(at('features.csv'), 'utf8').split('\n');
  const columns = head.split(',');
  const cells = first.split(',');
  return { picture: cells[0], features: cells.filter((_, i) => columns[i].startsWith('embedding_')).map(Number) };
}

const page = `<!doctype html><link rel="icon" href="data:,"><script type="importmap">${JSON.stringify({
  imports: {
    'onnxruntime-common': '/node_modules/onnxruntime-common/dist/esm/index.js',
    'onnxruntime-web/webgpu': '/node_modules/onnxruntime-web/dist/ort.webgpu.bundle.min.mjs',
  },
})}</script><script type="module">
  import { env, pipeline } from '/node_modules/@huggingface/transformers/dist/transformers.web.js';
  Object.assign(env, { allowRemoteModels: false, allowLocalModels: true, localModelPath: '/${place}/models/', useBrowserCache: false });
  env.backends.onnx.wasm.wasmPaths = '/node_modules/onnxruntime-web/dist/';
  globalThis.extract = async (url) => {
    const extractor = await pipeline('image-feature-extraction', 'encoder', { dtype: 'fp32', device: 'wasm' });
    const { dims, data } = await extractor(url, { pool: true });
    return { dims, data: [...data] };
  };
</script>`;

let failure;
const { picture, features } = await exported();
writeFileSync(at('index.html'), page);
const folders = [place, 'node_modules/onnxruntime-common', 'node_modules/onnxruntime-web', 'node_modules/@huggingface'];
const server = await serveFiles(0, folders, {
  'content-security-policy': "default-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob: data:",
});
const browser = await puppeteer.launch(await chromium());
try {
  const tab = await browser.newPage();
  tab.on('console', (message) => message.type() === 'error' && console.log(`page: ${message.text()}`));
  await tab.goto(`${server.url}${place}/`);
  await tab.waitForFunction('globalThis.extract', { timeout: patience(60_000) });
  const { dims, data } = await tab.evaluate(
    (url) => globalThis.extract(url),
    `${server.url}${place}/pictures/${picture}`,
  );
  const off = Math.max(...features.map((v, i) => Math.abs(v - data[i])));
  const scale = Math.max(...features.map(Math.abs));
  if (dims.join() !== `1,${features.length}` || !(off <= 1e-4 * scale))
    failure = `features of shape ${dims} differ by ${off}, their scale is ${scale}`;
} catch (e) {
  failure = String(e.stack ?? e);
} finally {
  await browser.close();
  server.close();
}
if (failure) console.log(`FAIL transformers.js loads an exported encoder: ${failure}`);
console.log(failure ? '0 passed, 1 failed' : '1 passed, 0 failed');
process.exit(failure ? 1 : 0);
