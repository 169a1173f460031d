import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/core/errors.js';
import { syntheticPictures } from '../../src/data/synthetic.js';

describe('syntheticPictures', () => {
  it('is balanced, and picture i depends on the seed and i alone', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), (seed, a, b) => {
        const [few, many] = [
          syntheticPictures({ count: Math.min(a, b), size: 16, seed }),
          syntheticPictures({ count: Math.max(a, b), size: 16, seed }),
        ];
        expect(many.data.subarray(0, few.data.length)).toEqual(few.data);
        expect([...many.labels!]).toEqual(Array.from({ length: many.count }, (_, i) => i % 4));
      }),
      { numRuns: 20 },
    );
  });

  it('differs from seed to seed and from picture to picture', () => {
    const [a, b] = [syntheticPictures({ count: 8, seed: 1 }), syntheticPictures({ count: 8, seed: 2 })];
    expect(a.data).not.toEqual(b.data);
    expect(a.data.subarray(0, 3072)).not.toEqual(a.data.subarray(4 * 3072, 5 * 3072));
    expect(a).toMatchObject({
      count: 8,
      height: 32,
      width: 32,
      skipped: [],
      classes: ['stripes', 'checks', 'dots', 'rings'],
    });
    expect(a.data.length).toBe(8 * 32 * 32 * 3);
  });

  it('has classes of about the same brightness and colour', () => {
    const p = syntheticPictures({ count: 1200, size: 16, seed: 3 });
    const sums = Array.from({ length: 4 }, () => [0, 0, 0]);
    p.data.forEach((v, i) => (sums[p.labels![Math.floor(i / 768)]][i % 3] += v / (300 * 256)));
    for (const channel of [0, 1, 2]) {
      const means = sums.map((s) => s[channel]);
      expect(Math.max(...means) - Math.min(...means)).toBeLessThan(16); // of 255; pictures spread by 40
    }
  });

  it('shows something: every picture has contrast', () => {
    const p = syntheticPictures({ count: 200, seed: 4 });
    for (let i = 0; i < p.count; i++) {
      const one = p.data.subarray(i * 3072, (i + 1) * 3072);
      const mean = one.reduce((a, v) => a + v, 0) / 3072;
      expect(Math.sqrt(one.reduce((a, v) => a + (v - mean) ** 2, 0) / 3072)).toBeGreaterThan(15);
    }
  });

  it('refuses counts and sizes that make no sense', () => {
    for (const count of [0, -1, 1.5, NaN]) expect(() => syntheticPictures({ count, seed: 0 })).toThrow(ConfigError);
    for (const size of [0, 15, 257, 20.5])
      expect(() => syntheticPictures({ count: 1, size, seed: 0 })).toThrow(ConfigError);
  });
});
