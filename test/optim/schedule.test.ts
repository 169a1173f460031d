import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cosine, momentumCosine, scaledRate, stepDecay, warmupCosine } from '../../src/optim/schedule.js';

const part = fc.double({ min: 0, max: 1, noNaN: true });

describe('cosine', () => {
  it('starts at the base, is half of it half way, and ends at 0', () => {
    expect(cosine(0.06, 0)).toBe(0.06);
    expect(cosine(0.06, 0.5)).toBeCloseTo(0.03, 15);
    expect(cosine(0.06, 1)).toBe(0);
    expect([1 / 3, 2 / 3, 0.25].map((t) => cosine(4, t).toFixed(12))).toEqual([
      '3.000000000000',
      '1.000000000000',
      (2 + Math.SQRT2).toFixed(12),
    ]);
  });

  it('falls all the way, is symmetric about the middle and proportional to the base', () =>
    fc.assert(
      fc.property(part, part, fc.double({ min: 1e-6, max: 10, noNaN: true }), (a, b, base) => {
        const [early, late] = [Math.min(a, b), Math.max(a, b)];
        expect(cosine(base, late)).toBeLessThanOrEqual(cosine(base, early));
        expect(cosine(base, late)).toBeGreaterThanOrEqual(0);
        expect(Math.abs(cosine(base, a) + cosine(base, 1 - a) - base)).toBeLessThan(1e-12 * base + 1e-15);
        expect(Math.abs(cosine(base, a) - base * cosine(1, a))).toBeLessThan(1e-12 * base);
      }),
    ));
});

describe('warmupCosine', () => {
  it('starts at 0, reaches the base when warm, half of it half way from there, and 0 at the end', () => {
    expect([0, 5, 10, 55, 100].map((e) => warmupCosine(2, e, 10, 100))).toEqual([0, 1, 2, expect.closeTo(1, 12), 0]);
    expect(warmupCosine(2, 10 - 1e-9, 10, 100)).toBeCloseTo(2, 8);
  });

  it('without a warm-up is the cosine', () =>
    expect([0, 3, 10].map((e) => warmupCosine(4, e, 0, 10))).toEqual([0, 3, 10].map((e) => cosine(4, e / 10))));

  it('never leaves [0, base]', () =>
    fc.assert(
      fc.property(part, fc.integer({ min: 0, max: 9 }), (t, warm) => {
        const rate = warmupCosine(0.6, 10 * t, warm, 10);
        expect(rate >= 0 && rate <= 0.6).toBe(true);
      }),
    ));
});

describe('stepDecay', () => {
  it('falls at each milestone, from that epoch on', () => {
    expect([0, 119, 120, 159, 160, 199].map((e) => stepDecay(0.03, e, [120, 160]).toFixed(6))).toEqual([
      '0.030000',
      '0.030000',
      '0.003000',
      '0.003000',
      '0.000300',
      '0.000300',
    ]);
    expect(stepDecay(1, 5, [5], 0.5)).toBe(0.5);
    expect(stepDecay(0.03, 1000, [])).toBe(0.03);
  });
});

describe('momentumCosine', () => {
  it('rises from m0 to 1', () => {
    expect([0, 50, 100].map((e) => momentumCosine(0.99, e, 100))).toEqual([
      expect.closeTo(0.99, 12),
      expect.closeTo(0.995, 12),
      1,
    ]);
    // 1 - ½ (1 + cos(π / 4)) (1 - m0)
    expect(momentumCosine(0.996, 25, 100)).toBeCloseTo(1 - (0.004 * (2 + Math.SQRT2)) / 4, 12);
  });
});

describe('scaledRate', () => {
  it('is in proportion to the batch, and itself at 256', () =>
    expect([256, 4096, 64].map((b) => scaledRate(0.3, b))).toEqual([0.3, expect.closeTo(4.8, 12), 0.075]));
});
