import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../src/core/errors.js';
import { dataUri, encodePng } from '../../src/io/png.js';

describe('encodePng', () => {
  it('is read back by sharp pixel for pixel', async () => {
    const picture = fc
      .tuple(fc.integer({ min: 1, max: 17 }), fc.integer({ min: 1, max: 17 }))
      .chain(([w, h]) =>
        fc.tuple(fc.constant(w), fc.constant(h), fc.uint8Array({ minLength: w * h * 3, maxLength: w * h * 3 })),
      );
    await fc.assert(
      fc.asyncProperty(picture, async ([width, height, rgb]) => {
        const { data, info } = await sharp(await encodePng(rgb, width, height))
          .raw()
          .toBuffer({ resolveWithObject: true });
        expect([info.width, info.height, info.channels]).toEqual([width, height, 3]);
        expect([...data]).toEqual([...rgb]);
      }),
      { numRuns: 40 },
    );
  });

  it('makes smooth pictures small', async () => {
    const rgb = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => Math.floor(i / 3) % 64);
    expect((await encodePng(rgb, 64, 64)).length).toBeLessThan(400);
  });

  it('refuses sizes that do not fit the bytes', async () => {
    for (const [n, w, h] of [
      [3, 1, 2],
      [0, 0, 0],
      [0, 0, 1],
      [4, 1, 1],
      [3, 0.5, 2],
    ])
      await expect(encodePng(new Uint8Array(n), w, h)).rejects.toThrow(ShapeError);
  });
});

describe('dataUri', () => {
  it('is base64', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(dataUri(bytes)).toBe(`data:image/png;base64,${Buffer.from(bytes).toString('base64')}`);
      }),
    );
    const long = Uint8Array.from({ length: 100_000 }, (_, i) => i);
    expect(dataUri(long, 'image/jpeg')).toBe(`data:image/jpeg;base64,${Buffer.from(long).toString('base64')}`);
  });
});
