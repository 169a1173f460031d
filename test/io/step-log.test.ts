import { expect, it } from 'vitest';
import { runningMean } from '../../src/core/points.js';
import { curveOf, type ReportStep, StepLog } from '../../src/io/step-log.js';
import { renderReport } from '../../src/report/run-report.js';

const loss = (step: number) => (step % 7919 === 0 ? NaN : step === 54_321 ? 99 : 5 + Math.sin(step));
const logOf = (count: number) => {
  const log = new StepLog();
  for (let step = 1; step <= count; step++)
    log.add({
      step,
      epoch: 1 + (step >> 10),
      loss: loss(step),
      contrastTop1: 0.5,
      lr: step,
      ...(step > 50_000 && { gradNorm: 2 }),
    });
  return log.steps;
};

it('keeps a log of 4096 steps as it is', () => {
  const steps = logOf(4096);
  expect(steps.map((s) => s.step)).toEqual(Array.from({ length: 4096 }, (_, i) => i + 1));
  expect(steps.some((s) => s.run)).toBe(false);
});

it.each([4107, 10_000, 99_999])(
  'thins one of %i steps to runs with the same mean and extremes, and leaves the last ten alone',
  (count) => {
    const steps = logOf(count);
    const all = Array.from({ length: count }, (_, i) => loss(i + 1)).filter(Number.isFinite);
    expect(steps.length).toBeLessThan(4200);
    expect(steps.slice(-10)).toEqual(
      Array.from({ length: 10 }, (_, i) => expect.objectContaining({ step: count - 9 + i, loss: loss(count - 9 + i) })),
    );
    const { points, weights, ends } = curveOf(steps, 'loss');
    expect(weights.reduce((a, b) => a + b)).toBe(all.length); // NaN counts nowhere
    expect(points.reduce((sum, [, y], i) => sum + y * weights[i], 0) / all.length).toBeCloseTo(
      all.reduce((a, b) => a + b) / all.length,
      9,
    );
    expect([Math.min(...ends.map((p) => p[1])), Math.max(...ends.map((p) => p[1]))]).toEqual([
      Math.min(...all),
      Math.max(...all),
    ]);
    expect(runningMean(points, points.length, weights)[0][1]).toBeCloseTo(all.reduce((a, b) => a + b) / all.length, 9);
    expect(curveOf(steps, 'gradNorm').weights.reduce((a, b) => a + b, 0)).toBe(Math.max(0, count - 50_000));
    expect(curveOf(steps, 'queueFill').points).toEqual([]);
  },
);

it('the report of a thinned log shows its spike and its last steps', () => {
  const draw = (steps: ReportStep[]) =>
    renderReport({
      title: '',
      command: '',
      config: {},
      adapter: '',
      version: '',
      seed: 1,
      steps,
      knn: [],
      baselines: { k: 1, T: 1 },
      chanceLoss: 5,
      queueSize: 1,
      gallery: [],
      notes: [],
      elapsedSeconds: 1,
    });
  const html = draw(logOf(99_999));
  expect(html).toMatch(/class="end"[^>]*>100</); // the axis of the loss reaches the spike
  expect(html).toContain('99\u2009999');
  expect(html).not.toMatch(/NaN|undefined|Infinity/);
});
