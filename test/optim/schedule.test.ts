import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cosine } from '../../src/optim/schedule.js';

const part = fc.double({ min: 0, max: 1, noNaN: true });

describe('cosine', () => {
  it('starts at the base, is half of it half way, and ends at 0', () => {
    expect(cosine(0.06, 0)).toBe(0.06);
    expect(cosine(0.06, 0.5)).toBeCloseTo(0.03, 15);
    expect(cosine(0.06, 1)).toBe(0);
    expect([1 / 3, 2 / 3, 0.25].map((t) => cosine(4, t).toFixed(12))).toEqual(['3.000000000000', '1.000000000000', (2 + Math.SQRT2).toFixed(12)]);
  });

  it('falls all the way, is symmetric about the middle and proportional to the base', () =>
    fc.assert(fc.property(part, part, fc.double({ min: 1e-6, max: 10, noNaN: true }), (a, b, base) => {
      const [early, late] = [Math.min(a, b), Math.max(a, b)];
      expect(cosine(base, late)).toBeLessThanOrEqual(cosine(base, early));
      expect(cosine(base, late)).toBeGreaterThanOrEqual(0);
      expect(Math.abs(cosine(base, a) + cosine(base, 1 - a) - base)).toBeLessThan(1e-12 * base + 1e-15);
      expect(Math.abs(cosine(base, a) - base * cosine(1, a))).toBeLessThan(1e-12 * base);
    })));
});
