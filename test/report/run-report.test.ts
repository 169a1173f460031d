import { describe, expect, it } from 'vitest';
import { type ReportData, renderReport } from '../../src/report/run-report.js';

const png = 'data:image/png;base64,AAAA';

function sample(change: Partial<ReportData> = {}): ReportData {
  return {
    title: 'A run',
    command: 'dawngrad train',
    config: { queue: 1024, augment: { scale: [0.35, 1], blur: undefined } },
    adapter: 'SwiftShader',
    version: '0.1.0',
    seed: 7,
    steps: Array.from({ length: 3000 }, (_, i) => ({
      step: i + 1,
      epoch: Math.floor(i / 100) + 1,
      loss: 7 - i / 1000,
      contrastTop1: i / 3000,
      lr: 0.06,
      queueFill: Math.min(1, i / 8),
    })),
    knn: [
      { epoch: 1, accuracy: 0.4 },
      { epoch: 2, accuracy: 0.6 },
    ],
    baselines: { rawPixels: 0.36, randomEncoder: 0.4, trained: 0.62, chance: 0.25, k: 200, T: 0.1 },
    chanceLoss: Math.log(1025),
    queueSize: 1024,
    gallery: [
      {
        query: { png, label: 'rings' },
        neighbours: [
          { png, label: 'rings', similarity: 0.98, correct: true },
          { png, label: 'discs', similarity: 0.9, correct: false },
        ],
      },
    ],
    notes: ['3 pictures were skipped'],
    elapsedSeconds: 125,
    ...change,
  };
}

describe('renderReport', () => {
  const html = renderReport(sample());

  it('says how matrices were multiplied, where the run does', () => {
    const fact = '<th scope="row">products of matrices</th>';
    expect(html).not.toContain(fact);
    expect(renderReport(sample({ products: 'f32 as <two>' }))).toContain(`${fact}<td>f32 as &lt;two&gt;</td>`);
  });

  it('shows what happened', () => {
    for (const text of [
      'A run',
      'chance: 6.932',
      '62.0 %',
      'raw pixels 36.0 %',
      'random encoder 40.0 %',
      'SwiftShader',
      'augment.scale',
      '[0.35,1]',
      '2 min 5 s',
      '3 pictures were skipped',
    ])
      expect(html).toContain(text);
    expect(html).toContain('alt="neighbour 1: rings, similarity 0.98, same class"');
    expect(html).toContain('alt="neighbour 2: discs, similarity 0.90, another class"');
  });

  it('asks nothing of the network and runs no script', () => {
    expect(html).not.toMatch(/<script|<link|@import|url\(|https?:/);
    expect(html).toContain("default-src 'none'");
    const sources = [...html.matchAll(/src="([^"]*)"/g)].map((m) => m[1]);
    expect(sources.length).toBe(3);
    expect(sources.every((s) => s.startsWith('data:'))).toBe(true);
    expect(
      renderReport(sample({ gallery: [{ query: { png: 'https://example.org/x.png' }, neighbours: [] }] })),
    ).not.toContain('example.org');
  });

  it('stays small however long the run', () => {
    expect(html.length).toBeLessThan(120_000);
  });

  it('escapes every text', () => {
    const bad = `"><script>alert(1)</script>`;
    const evil = renderReport(
      sample({
        title: bad,
        command: bad,
        adapter: bad,
        version: bad,
        notes: [bad],
        config: { [bad]: { [bad]: bad } },
        gallery: [
          { query: { png: `data:image/png${bad}`, label: bad }, neighbours: [{ png, label: bad, similarity: 1 }] },
        ],
      }),
    );
    expect(evil).not.toContain('<script');
  });

  it('copes with a run that did nothing, and with losses that are not numbers', () => {
    const none = renderReport(sample({ steps: [], knn: [], gallery: [], notes: [], baselines: { k: 20, T: 0.07 } }));
    expect(none).toContain('Nothing was measured');
    const broken = renderReport(
      sample({
        steps: sample()
          .steps.slice(0, 200)
          .map((s) => ({ ...s, loss: NaN })),
      }),
    );
    for (const page of [none, broken]) expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('shows views, similarities, a published curve, memory and the map, where there are any', () => {
    for (const absent of ['<h2>Views', 'Similarity of views', 'as published', 'Map of features', 'Memory of a step'])
      expect(html).not.toContain(absent);
    const full = renderReport(
      sample({
        views: [{ first: png, second: png, label: 'rings' }],
        similarity: { positive: [0.9, 1, 0.95, NaN], negative: [0, 0.1, -0.2] },
        published: {
          name: 'as published',
          points: [
            [1, 0.3],
            [200, 0.8],
          ],
          by: 'outputs',
          differences: ['it saw more'],
        },
        memory: { planned: 3 * 2 ** 20, live: 2 ** 20, peak: 9 * 2 ** 20 },
        map: {
          points: Float32Array.of(0, 0, 1, 1, 0.5, 0.2),
          by: 'PCA',
          thumbnails: [png, png, 'https://example.org/x'],
          names: ['a', 'b', '<c>'],
          labels: [0, 1, 1],
          classes: ['x', 'y'],
        },
      }),
    );
    for (const text of [
      'alt="first view: rings"',
      'Similarity of views, by cosine: same picture from',
      'line tone8 dashed',
      'beside that of the outputs of the head. It differs: it saw more.',
      '3 MiB',
      '9 MiB at most',
      '3 pictures, by PCA',
      '&lt;c&gt; (y)',
    ])
      expect(full).toContain(text);
    expect(full.match(/<circle cx/g)).toHaveLength(3);
    expect(full.match(/<image /g)).toHaveLength(2);
    expect(full).not.toMatch(/NaN|undefined|https?:/);
  });

  it('is balanced HTML, and the same for the same data', () => {
    for (const tag of ['div', 'section', 'figure', 'svg', 'table', 'details', 'p', 'text', 'rect', 'figcaption'])
      expect([tag, html.match(new RegExp(`<${tag}[ >]`, 'g'))!.length]).toEqual([
        tag,
        html.match(new RegExp(`</${tag}>`, 'g'))!.length,
      ]);
    expect(renderReport(sample())).toBe(html);
  });
});

describe('a run full of nulls', () => {
  const none = null as unknown as number;
  const steps = Array.from({ length: 30 }, (_, i) => ({
    step: i + 1,
    epoch: 1,
    loss: i < 25 ? 5 : none,
    contrastTop1: none,
    contrastTop5: none,
    lr: 0.1,
    gradNorm: none,
  }));

  it('has a report with dashes, no average around them, and no NaN in its markup', () => {
    const html = renderReport(
      sample({
        steps,
        knn: [{ epoch: 1, accuracy: none }],
        spread: [{ epoch: 1, value: none }],
        chanceLoss: NaN,
        similarity: { positive: [NaN], negative: [NaN, NaN] },
        baselines: { rawPixels: none, randomEncoder: NaN, trained: none, k: 5, T: 0.1 },
        gallery: [{ query: { png }, neighbours: [{ png, similarity: none, correct: false }] }],
        map: {
          points: Float32Array.of(NaN, NaN, 1, 2, 3, 4),
          by: 'PCA',
          thumbnails: [png, png, png],
          names: ['a', 'b', 'c'],
        },
      }),
    );
    expect(html).not.toMatch(/NaN|null/);
    expect(html).toContain('<span>Loss</span><strong>–</strong>');
    expect(html).toContain('2 pictures, by PCA of their features. 1 more have features that are not finite.');
  });
});
