/**
 * The browser example in headless Chromium: it trains, the loss is finite, every panel fills, and the console stays
 * clean. `node test/browser/example.mjs shot.png` also takes a picture of the page at the end.
 */
import puppeteer from 'puppeteer-core';
import { serveFiles } from '../../scripts/serve.mjs';
import { patience } from '../../scripts/speed.mjs';
import { chromium } from './chromium.mjs';

const counts = { passed: 0, failed: 0 };

function check(what, holds, got = '') {
  counts[holds ? 'passed' : 'failed']++;
  if (!holds) console.log(`FAIL browser example: ${what}${got && `; got ${got}`}`);
}

/** In the page: how many pixels of a canvas differ from its first one. */
const painted = (selector) => {
  const canvas = document.querySelector(selector);
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let differ = 0;
  for (let i = 4; i < data.length; i += 4)
    if (data[i] !== data[0] || data[i + 1] !== data[1] || data[i + 3] !== data[3]) differ++;
  return differ;
};

const server = await serveFiles();
const browser = await puppeteer.launch(await chromium());
try {
  const page = await browser.newPage();
  await page.setViewport({ width: 1160, height: 1100 });
  const errors = [];
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('pageerror', (e) => errors.push(String(e)));
  await page.goto(`${server.url}examples/browser/?count=400&epochs=2`);
  const status = () => page.$eval('#status', (e) => e.textContent);
  await page.waitForFunction(
    () => !document.querySelector('#start').disabled || document.querySelector('#status.bad'),
    { timeout: patience(60_000) },
  );
  await page.click('#start');
  await page.evaluate(() => {
    globalThis.longest = 0; // the page answers while the worker trains: the longest gap between two timers
    let last = performance.now();
    setInterval(() => {
      globalThis.longest = Math.max(globalThis.longest, performance.now() - last);
      last = performance.now();
    }, 10);
  });
  await page.waitForFunction(
    () =>
      /^(Done|Stopped)|Error/.test(document.querySelector('#status').textContent) ||
      document.querySelector('#status.bad'),
    { timeout: patience(180_000) },
  );
  check('it ends well', (await status()) === 'Done.', await status());
  const text = (id) => page.$eval(`#${id}`, (e) => e.textContent);
  check('it trains 20 steps', (await text('step')) === '20 / 20', await text('step'));
  check('the loss is finite', Number.isFinite(Number(await text('loss'))), await text('loss'));
  check('k-NN is measured', /^\d+\.\d %$/.test(await text('knn')), await text('knn'));
  check('both views are shown', (await page.$$('#views canvas')).length === 16);
  check('the neighbours are shown', (await page.$$('#neighbours canvas')).length === 78);
  for (const canvas of ['#lossChart', '#accuracyChart', '#queue', '#views canvas', '#neighbours canvas'])
    check(`${canvas} is drawn`, (await page.evaluate(painted, canvas)) > 100);
  const longest = await page.evaluate(() => globalThis.longest);
  check('the page stays responsive', longest < patience(1000), `a gap of ${Math.round(longest)} ms`);
  check('no error in the console', errors.length === 0, errors.join('\n'));
  if (process.argv[2]) await page.screenshot({ path: process.argv[2], fullPage: true });

  const without = await browser.newPage();
  await without.evaluateOnNewDocument(() => {
    const Real = globalThis.Worker;
    const from = (url) =>
      new Blob([`delete WorkerNavigator.prototype.gpu; await import(${JSON.stringify(url)});`], {
        type: 'text/javascript',
      });
    // biome-ignore lint/complexity/useArrowFunction: it is called by new.
    globalThis.Worker = function (url, options) {
      return new Real(URL.createObjectURL(from(new URL(url, location.href).href)), options);
    };
  });
  await without.setBypassCSP(true); // its worker is a blob
  await without.goto(`${server.url}examples/browser/`);
  await without.waitForSelector('#status.bad', { timeout: patience(30_000) });
  const message = await without.$eval('#status', (e) => e.textContent);
  check(
    'it says so where WebGPU is missing',
    /a WebGPU adapter must be there; got none.*Use a browser with WebGPU/.test(message),
    message,
  );
} catch (e) {
  check('the example runs to its end', false, String(e.stack ?? e));
} finally {
  await browser.close();
  server.close();
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed === 0 ? 0 : 1);
