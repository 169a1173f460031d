import { describe, expect, it } from 'vitest';
import { type ComparedRun, comparisonTable, renderComparison } from '../../src/report/compare-runs.js';

const run = (name: string, change: Record<string, unknown>, loss: number): ComparedRun => ({
  name,
  config: { batch: 8, K: 64, mean: [0.5, 0.5], ...change },
  steps: Array.from({ length: 30 }, (_, i) => ({
    step: i + 1,
    epoch: 1 + Math.floor(i / 10),
    loss: loss + (i < 20 ? 3 : 0),
    contrastTop1: 0.25,
    lr: 0.1,
    picturesPerSecond: i === 3 ? 1 : 80,
  })),
  knn: [{ epoch: 3, accuracy: 0.5 }],
});
const runs = [run('a', {}, 1), run('b', { K: 128, mean: [0.5, 0.4], data: '<b>' }, 2)];

describe('comparison', () => {
  it('tells what differs and what was reached', () => {
    expect(comparisonTable(runs)).toEqual([
      ['', 'a', 'b'],
      ['K', '64', '128'],
      ['mean', '[0.5,0.5]', '[0.5,0.4]'],
      ['data', '–', '<b>'],
      ['steps', '30', '30'],
      ['loss', '1', '2'],
      ['contrast top 1', '25.0 %', '25.0 %'],
      ['k-NN', '50.0 %', '50.0 %'],
      ['pictures/s', '80', '80'],
    ]);
  });

  it('draws a line a run in every chart, escapes names, and copes with a run that did nothing', () => {
    const html = renderComparison(runs);
    expect(html.match(/class="line tone1"/g)).toHaveLength(3);
    expect(html.match(/class="line tone2"/g)).toHaveLength(3);
    expect(html).toContain('aria-label="Contrastive loss, by pictures seen: a from');
    expect(html).toContain('&lt;b&gt;');
    expect(html).not.toMatch(/<b>|<script|https?:/);
    const none = { ...runs[0], name: 'none', steps: [], knn: [] };
    expect(renderComparison([none, runs[1]])).not.toMatch(/NaN|undefined|Infinity/);
    expect(comparisonTable([none, none]).at(-1)).toEqual(['pictures/s', '–', '–']);
  });
});
