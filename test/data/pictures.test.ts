import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/core/errors.js';
import type { Pictures } from '../../src/data/picture-source.js';
import { limitPerClass, selectClasses, splitHeldOut, subset } from '../../src/data/pictures.js';
import { anySet, carried, tiny } from './tiny.js';

const perClass = (p: Pictures): number[] =>
  (p.classes ?? ['']).map((_, c) => (p.labels ? p.labels.filter((l) => l === c).length : p.count));

describe('subset', () => {
  it('takes the pictures in the order asked for, with names and labels', () => {
    const p = subset(tiny([0, 1, 2, 1], ['a', 'b', 'c']), [3, 0, 3]);
    expect(carried(p)).toEqual([3, 0, 3]);
    expect([...p.labels!]).toEqual([1, 0, 1]);
    expect(p.names).toEqual(['picture 3', 'picture 0', 'picture 3']);
  });

  it('refuses indices outside', () => {
    for (const bad of [-1, 2, 0.5, NaN]) expect(() => subset(tiny([0, 0]), [bad])).toThrow(ConfigError);
  });
});

describe('splitHeldOut', () => {
  it('puts each picture into one part, each class by its share, the same for the same seed', () => {
    fc.assert(
      fc.property(anySet, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(), (p, fraction, seed) => {
        const { train, heldOut } = splitHeldOut(p, fraction, seed);
        expect([...carried(train), ...carried(heldOut)].sort((a, b) => a - b)).toEqual([...Array(p.count).keys()]);
        expect(heldOut.count).toBe(Math.round(fraction * p.count));
        const all = perClass(p);
        perClass(heldOut).forEach((n, c) => expect(Math.abs(n - fraction * all[c])).toBeLessThanOrEqual(1));
        expect(carried(splitHeldOut(p, fraction, seed).heldOut)).toEqual(carried(heldOut));
        expect(heldOut.labels === undefined).toBe(p.labels === undefined);
      }),
    );
  });

  it('depends on the seed', () => {
    const p = tiny(Array(100).fill(0));
    expect(carried(splitHeldOut(p, 0.5, 1).heldOut)).not.toEqual(carried(splitHeldOut(p, 0.5, 2).heldOut));
  });

  it('refuses a fraction outside [0, 1]', () => {
    for (const bad of [-0.1, 1.1, NaN])
      expect(() => splitHeldOut(tiny([0]), bad, 0)).toThrow(/splitHeldOut: .*\[0, 1\]/);
  });
});

describe('selectClasses', () => {
  it('keeps the named classes and numbers them in the order given', () => {
    const p = selectClasses(tiny([0, 1, 2, 2, 0], ['cat', 'dog', 'frog']), ['frog', 'cat']);
    expect(p.classes).toEqual(['frog', 'cat']);
    expect(carried(p)).toEqual([0, 2, 3, 4]);
    expect([...p.labels!]).toEqual([1, 0, 0, 1]);
  });

  it('names the nearest class for a slip, and the known ones always', () => {
    const p = tiny([0, 1], ['airplane', 'automobile']);
    expect(() => selectClasses(p, ['aeroplane'])).toThrow(
      /got 'aeroplane'. Did you mean 'airplane'\? Known: airplane, automobile\./,
    );
    expect(() => selectClasses(p, ['quince'])).toThrow(/got 'quince'. Known: airplane/);
  });

  it('refuses unlabelled pictures, no class, and a class named twice', () => {
    expect(() => selectClasses(tiny([0]), ['cat'])).toThrow(ConfigError);
    expect(() => selectClasses(tiny([0], ['cat']), [])).toThrow(ConfigError);
    expect(() => selectClasses(tiny([0], ['cat']), ['cat', 'cat'])).toThrow(ConfigError);
  });
});

describe('limitPerClass', () => {
  it('keeps at most n of each class, in order, by seed', () => {
    fc.assert(
      fc.property(anySet, fc.integer({ min: 1, max: 30 }), fc.nat(), (p, n, seed) => {
        const limited = limitPerClass(p, n, seed);
        expect(perClass(limited)).toEqual(perClass(p).map((have) => Math.min(have, n)));
        expect(carried(limited)).toEqual([...carried(limited)].sort((a, b) => a - b));
        expect(carried(limitPerClass(p, n, seed))).toEqual(carried(limited));
      }),
    );
  });

  it('refuses limits below one', () => {
    for (const bad of [0, -1, 1.5, NaN]) expect(() => limitPerClass(tiny([0]), bad, 0)).toThrow(ConfigError);
  });
});
