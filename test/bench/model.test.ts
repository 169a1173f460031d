import { describe, expect, it } from 'vitest';
import { captureStep } from '../../bench/capture.js';
import { h200, predict, steps, summed, type Work, workOf } from '../../bench/model.js';
import { designs, kindOf, today } from '../../bench/model-rates.js';
import { presets } from '../../src/moco/presets.js';
// what the kernels that ran on the card do in each step, by primitive and kernel: npm run bench -- --model h200 --json
import baseline from './model-baseline.json' with { type: 'json' };

const profiled = baseline as Record<string, Work[]>;
const ratesOf = (name: string) => today[steps[name].config.precision === 'f16' ? 'f16' : 'f32'];
const count = (works: readonly Work[]) => works.reduce((sum, w) => sum + w.count, 0);

describe('the model of an H200', () => {
  it.each(['ResNet-50 f32', 'ResNet-50 f16', 'CIFAR ResNet-18 f32', 'ViT-S f32'])(
    'tells what %s took, within 10 %%',
    (name) => {
      const { ms } = predict(profiled[name], ratesOf(name));
      expect(ms / steps[name].was).toBeGreaterThan(0.9);
      expect(ms / steps[name].was).toBeLessThan(1.1);
    },
  );

  it('counts the dispatches that were profiled: 961 of ResNet-50 and 2076 of ViT-S, within 1 %', () => {
    for (const [name, was] of [
      ['ResNet-50 f32', 961],
      ['ResNet-50 f16', 961],
      ['ViT-S f32', 2076],
    ] as const)
      expect(Math.abs(count(profiled[name]) / was - 1)).toBeLessThan(0.01);
  });

  it('captures a step at full size: the same operations, in no more dispatches', async () => {
    const name = 'CIFAR ResNet-18 f32';
    const works = summed((await captureStep(presets['cifar-r18'], h200)).map(workOf));
    const products = (of: readonly Work[]) => of.reduce((sum, w) => sum + w.flops, 0);
    expect(products(works) / products(profiled[name])).toBeCloseTo(1, 2);
    expect(count(works)).toBeLessThanOrEqual(count(profiled[name]));
    expect(predict(works, designs['f32 by FMA'].rates).ms).toBeLessThan(steps[name].was);
  });

  it('has a rate for every kind of kernel in every table', () => {
    const kinds = new Set(Object.values(profiled).flatMap((works) => works.map((w) => kindOf(w.op, w.kernel))));
    for (const rates of [...Object.values(today), ...Object.values(designs).map((d) => d.rates)])
      for (const kind of kinds) expect(rates[kind]?.rate, kind).toBeGreaterThan(0);
  });

  it('adds up work, the longer of operations and memory, and dispatches', () => {
    const product = { op: 'matmul', kernel: 'matmul_wide', count: 1, flops: 2e12, bytes: 1e9 };
    const rate = { per: 'TFLOP/s', rate: 20, source: '' } as const;
    expect(predict([product], { product: rate }).ms).toBeCloseTo(100.0019, 6);
    expect(predict([product], { product: { ...rate, bytes: 0.001 } }).ms).toBeCloseTo(1000.0019, 6);
    expect(predict([{ ...product, op: 'x', kernel: 'x' }], { other: { ...rate, per: 'us' } }).ms).toBeCloseTo(
      0.0219,
      6,
    );
  });
});
