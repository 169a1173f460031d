import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError, FormatError } from '../../src/core/errors.js';
import { parseIdx } from '../../src/data/idx.js';
import { padTo } from '../../src/data/pad-pictures.js';
import { idx } from './files.js';
import { tiny } from './tiny.js';

const images: fc.Arbitrary<[number[], Uint8Array]> = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
  .chain(([n, h, w]) =>
    fc.tuple(fc.constant<number[]>([n, h, w]), fc.uint8Array({ minLength: n * h * w, maxLength: n * h * w })),
  );

describe('parseIdx', () => {
  it('reads images and spreads grey over RGB', () => {
    fc.assert(
      fc.property(images, ([[count, height, width], grey]) => {
        const data = Uint8Array.from([...grey].flatMap((v) => [v, v, v]));
        expect(parseIdx(idx([count, height, width], grey), 'x')).toEqual({
          kind: 'images',
          data,
          count,
          height,
          width,
        });
      }),
    );
  });

  it('reads labels, also from the middle of a buffer', () => {
    const file = idx([3], Uint8Array.of(7, 0, 9));
    const shifted = new Uint8Array(file.length + 5);
    shifted.set(file, 5);
    expect(parseIdx(shifted.subarray(5), 'x')).toEqual({ kind: 'labels', labels: Uint32Array.of(7, 0, 9), count: 3 });
  });

  it('refuses a file cut anywhere, or with bytes to spare', () => {
    fc.assert(
      fc.property(images, fc.nat(), ([sizes, grey], cut) => {
        const file = idx(sizes, grey);
        expect(() => parseIdx(file.subarray(0, cut % file.length), 'x')).toThrow(FormatError);
        expect(() => parseIdx(new Uint8Array([...file, 0]), 'x')).toThrow(/longer than it should be/);
      }),
    );
  });

  it('does not believe a header that promises more than there is', () => {
    expect(() => parseIdx(idx([0xffffffff, 0xffffffff, 0xffffffff], new Uint8Array(9)), 'x')).toThrow(
      /x: the header says \[4294967295, 4294967295, 4294967295\].*must follow; got 9\. The file is truncated/,
    );
    expect(() => parseIdx(idx([0, 28, 28], new Uint8Array(0)), 'x')).toThrow(/empty/);
    expect(() => parseIdx(Uint8Array.of(0, 0, 0xd, 3, 0), 'x')).toThrow(/got 0x00000d03/);
  });

  it('throws nothing but FormatError at random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(1, 3), (tail, axes) => {
        try {
          parseIdx(Uint8Array.of(0, 0, 8, axes, ...tail), 'x');
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
    );
  });
});

describe('padTo', () => {
  it('centres on black and keeps every byte', () => {
    const p = padTo(tiny([0, 0]), 4);
    expect([p.height, p.width, p.data.length]).toEqual([4, 4, 2 * 48]);
    const at = (1 * 4 + 1) * 3; // row 1 of 4, column 1 of 4
    expect([...p.data.subarray(48 + at, 48 + at + 6)]).toEqual([1, 0, 0, 1, 2, 3]);
    expect(p.data.reduce((a, b) => a + b, 0)).toBe(1 + 2 * 6);
  });

  it('keeps what fits and refuses to shrink', () => {
    const p = padTo(tiny([0]), 4);
    expect(padTo(p, 4)).toBe(p);
    for (const bad of [3, 4.5, NaN]) expect(() => padTo(p, bad)).toThrow(ConfigError);
  });
});
