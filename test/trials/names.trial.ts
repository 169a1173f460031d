import puppeteer from 'puppeteer-core';
import { visible, visibleName } from '../../src/core/visible.js';
import { embeddingsCsv, projectorFiles } from '../../src/io/embeddings.js';
import { encodePng } from '../../src/io/png.js';
import { renderComparison } from '../../src/report/compare-runs.js';
import { reportGallery } from '../../src/report/gallery.js';
import { page } from '../../src/report/html-page.js';
import { renderReport } from '../../src/report/run-report.js';
import { Random } from './random.js';
import type { Tally, Trial } from './trial.js';

const PARTS = [
  '<script>window.hit=1</script>',
  '"><img src=x onerror="window.hit=1">',
  "' onmouseover='window.hit=1",
  '</title><script>window.hit=1</script>',
  '</style><script>window.hit=1</script>',
  '<svg onload=window.hit=1>',
  '<iframe src="http://127.0.0.1:9/">',
  '<link rel=stylesheet href=http://127.0.0.1:9/x.css>',
  '<meta http-equiv=refresh content="0;url=http://127.0.0.1:9/">',
  'javascript:window.hit=1',
  '&lt;script&gt;',
  '&#x3c;script&#x3e;',
  '-->',
  ']]>',
  `\${window.hit=1}`,
  '{{7*7}}',
  '=HYPERLINK("http://127.0.0.1:9/")',
  '+cmd|calc',
  '-2+3',
  '@SUM(1)',
  '\u202egnp.exe',
  '\u2066x',
  '\u001b[2J\u001b]0;title\u0007',
  '\u009b31m',
  '\0',
  '\r\n',
  '\t',
  '"',
  ',',
  '\ud800',
  '../../x',
  'cat',
];

const hostile = (r: Random): string => Array.from({ length: 1 + r.below(3) }, () => r.pick(PARTS)).join('');

/** Every page, with names in every place that takes one. */
function pages(names: string[], png: string): string[] {
  let at = 0;
  const next = () => names[at++ % names.length];
  const step = { step: 1, epoch: 1, loss: 1, contrastTop1: 0.5, lr: 0.1 };
  const neighbour = () => ({ png, label: next(), similarity: 0.5, correct: true });
  const gallery = Array.from({ length: Math.ceil(names.length / 4) }, () => ({
    query: { png, label: next() },
    neighbours: [neighbour(), neighbour(), neighbour()],
  }));
  const data = {
    title: next(),
    command: next(),
    config: { [next()]: next(), nested: { [next()]: next() } },
    adapter: next(),
    version: next(),
    seed: 1,
    steps: [step, { ...step, step: 2 }],
    knn: [{ epoch: 1, accuracy: 0.4 }],
    baselines: { rawPixels: 0.3, randomEncoder: 0.4, trained: 0.6, chance: 0.25, k: 200, T: 0.1 },
    chanceLoss: 1,
    queueSize: 8,
    gallery,
    notes: names.slice(0, 50),
    elapsedSeconds: 1,
    map: {
      points: new Float32Array(2 * names.length).map((_, i) => (i * 37) % 11),
      by: next(),
      thumbnails: names.map(() => png),
      names,
      labels: Uint32Array.from(names, (_, i) => i % 8),
      classes: names.slice(0, 8),
    },
  };
  const run = () => ({ name: next(), config: { batch: 2, [next()]: next() }, steps: [step], knn: [] });
  return [
    renderReport(data as never),
    renderComparison([run(), run(), run()]),
    page({ title: next(), about: next(), sections: [reportGallery(gallery, next(), next())] }),
  ];
}

/** What a spreadsheet would run, and what a terminal would obey. */
function checkTexts(names: string[], tally: Tally): void {
  const table = { values: new Float32Array(names.length), count: names.length, size: 1, names, labels: names };
  const files = [embeddingsCsv(table), ...projectorFiles(table, { height: 1, width: 1 }).values()];
  const cells = fields(files[0]).flat();
  for (const cell of cells)
    if (/^\s*[=+\-@]/.test(cell) && !/^-?\d/.test(cell)) tally.lose(`a cell ${JSON.stringify(cell)}`);
  if (fields(files[0]).some((row) => row.length !== 3)) tally.lose('a name that broke its row');
  for (const name of names)
    if (
      /[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(visible(name) + visibleName(name)) ||
      /[\n\t]/.test(visibleName(name))
    )
      tally.lose(`${JSON.stringify(name)} shown as ${JSON.stringify(visible(name))}`);
}

/** CSV by RFC 4180. */
function fields(csv: string): string[][] {
  const rows: string[][] = [];
  const row: string[] = [];
  for (const [, quoted, bare, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n)/g)) {
    row.push(quoted?.replaceAll('""', '"') ?? bare);
    if (end === '\n') rows.push(row.splice(0));
  }
  return rows;
}

export default {
  promise: 'names are shown, and neither run as scripts, requests or formulas nor obeyed by a terminal.',
  rounds: 1,
  async start() {
    const { chromium } = await import('../browser/chromium.mjs' as string);
    const browser = await puppeteer.launch(await chromium());
    const bytes = await encodePng(new Uint8Array(3), 1, 1);
    const png = `data:image/png;base64,${Buffer.from(bytes).toString('base64')}`;
    return {
      async round(seed, tally) {
        const r = new Random(seed);
        const names = Array.from({ length: 1000 }, () => hostile(r));
        checkTexts(names, tally);
        for (const html of pages(names, png)) await open(html, tally);
        tally.count('hostile names', names.length);
      },
      close: () => browser.close(),
    };

    async function open(html: string, tally: Tally): Promise<void> {
      const tab = await browser.newPage();
      try {
        tab.on('request', (request) => {
          if (!/^(about|data):/.test(request.url())) tally.lose(`a request for ${request.url()}`);
        });
        tab.on('dialog', (dialog) => (tally.lose('a dialog'), dialog.dismiss()));
        // without the page's own rule nothing but the escapes is left
        for (const text of [html, html.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, '')]) {
          await tab.setContent(text, { waitUntil: 'load' });
          const found = await tab.evaluate(
            'JSON.stringify([window.hit, document.querySelectorAll("script, iframe, link, " + ' +
              '"meta[http-equiv=refresh], [onerror], [onload], [onmouseover]").length])',
          );
          if (found !== '[null,0]') tally.lose(`a script or an element: ${found}`);
          tally.count('pages opened');
        }
      } finally {
        await tab.close();
      }
    }
  },
} satisfies Trial;
