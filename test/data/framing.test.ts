import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { evaluatedBox, forCrops, forEvaluation, middle, type Shape, squares } from '../../src/data/framing.js';
import { type Decoded, decode } from '../../src/data/sharp.node.js';
import { AUGMENT_COLUMNS, cropTable } from '../../src/ops/augment_params.js';
import { augment } from '../../src/reference/augment.js';

type Box = readonly [top: number, left: number, height: number, width: number];

/** A smooth picture with fine detail, 640×427: as photographs are, and neither square nor a multiple of anything. */
const [H, W] = [427, 640];
const photo = (() => {
  const data = new Uint8Array(H * W * 3);
  for (let y = 0, at = 0; y < H; y++)
    for (let x = 0; x < W; x++)
      for (let c = 0; c < 3; c++, at++)
        data[at] =
          128 +
          60 * Math.sin(x / 31 + c) * Math.cos(y / 23) +
          40 * Math.sin((x + 2 * y) / (5 + c)) +
          20 * Math.sign(Math.sin(x / 50) + Math.cos(y / 41));
  return data;
})();
const file = await sharp(photo, { raw: { width: W, height: H, channels: 3 } })
  .png()
  .toBuffer();

/**
 * A box of a picture, which may begin between two pixels, at `to` pixels by the triangle filter max(0, 1 - |d| / reach)
 * over the pixels whose middles lie in the box, one axis after the other: [height, width, 3] in 0..1.
 */
function antialiased(data: Uint8Array, [top, left, height, width]: Box, to: Shape): number[] {
  const weights = (from: number, length: number, count: number) =>
    Array.from({ length: count }, (_, i) => {
      const scale = length / count;
      const inside = Array.from({ length: Math.ceil(from + length) }, (_, j) => j).filter(
        (j) => j + 0.5 > from && j + 0.5 < from + length,
      );
      const all = inside.map((j) => [
        j,
        Math.max(0, 1 - Math.abs(j + 0.5 - from - (i + 0.5) * scale) / Math.max(1, scale)),
      ]);
      const total = all.reduce((sum, [, w]) => sum + w, 0);
      return all.flatMap(([j, w]) => (w > 0 ? [[j, w / total]] : []));
    });
  const [rows, columns] = [weights(top, height, to.height), weights(left, width, to.width)];
  const line = (y: number) =>
    columns.map((taps) =>
      [0, 1, 2].map((c) => taps.reduce((sum, [j, w]) => sum + (w * data[(y * W + j) * 3 + c]) / 255, 0)),
    );
  const lines = Array.from({ length: H }, (_, y) => (y + 1 > top && y < top + height ? line(y) : []));
  return rows.flatMap((taps) =>
    columns.flatMap((_, x) => [0, 1, 2].map((c) => taps.reduce((sum, [j, w]) => sum + w * lines[j][x][c], 0))),
  );
}

/** The same by the operation, of a decoded picture. */
function byKernel({ data, height, width }: Decoded, box: Box, to: number): Float32Array {
  const y = new Float32Array(to * to * 3);
  const table = cropTable(1, () => box);
  expect(table.length).toBe(AUGMENT_COLUMNS);
  augment([data, Uint32Array.of(0, height, width), table, y], {
    M: 0,
    H: 0,
    W: 0,
    N: 1,
    height: to,
    width: to,
    mean: [0, 0, 0],
    std: [1, 1, 1],
  });
  return y;
}

const distance = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  const all = Array.from(a, (v, i) => Math.abs(v - b[i]));
  return { mean: all.reduce((s, v) => s + v) / all.length, most: Math.max(...all) };
};

describe('random crops', () => {
  it.each([
    ['the whole', [0, 0, 1, 1]],
    ['half', [0.1, 0.2, 0.7, 0.7]],
    ['the smallest', [0.49, 0.1, 0.5, 0.4]],
    ['a corner', [0.4, 0.6, 0.6, 0.4]],
  ])(
    'of %s are those of the picture in its file, resized with antialiasing: 0.01 off on average and 0.08 at most',
    async (_, part) => {
      const size = 56;
      const decoded = await decode(sharp, file, forCrops(size, 0.2));
      expect(decoded.height * decoded.width).toBeLessThan(0.1 * H * W);
      const box = part.map((v, i) => Math.floor(v * (i % 2 === 0 ? decoded.height : decoded.width))) as unknown as Box;
      const inFile = box.map(
        (v, i) => (v * (i % 2 === 0 ? H : W)) / (i % 2 === 0 ? decoded.height : decoded.width),
      ) as unknown as Box;
      const { mean, most } = distance(
        byKernel(decoded, box, size),
        antialiased(photo, inFile, { height: size, width: size }),
      );
      expect(mean).toBeLessThan(0.01);
      expect(most).toBeLessThan(0.08);
    },
  );

  it('of pictures that are as small as the smallest crop allows are those of the file', async () => {
    const decoded = await decode(sharp, file, forCrops(256, 0.2));
    expect([decoded.height, decoded.width, Buffer.from(photo).equals(decoded.data)]).toEqual([H, W, true]);
  });

  it.each([
    [0.08, 501],
    [0.2, 501],
    [0.4, 448],
    [1, 448],
  ])(
    'of %d of the area and 224 pixels have that many, where it is a fifth at least, ' +
      'out of at most %d² that are decoded',
    (cropMin, side) => {
      const framing = forCrops(224, cropMin);
      expect(framing.side).toBe(side);
      for (const [height, width] of [
        [3000, 4000],
        [4000, 3000],
        [2000, 2000],
        [1200, 4700],
      ]) {
        const { to, keep } = framing.of({ height, width });
        expect(keep).toEqual(to);
        expect(to.height * to.width).toBeLessThanOrEqual(side ** 2);
        expect(Math.max(0.2, cropMin) * to.height * to.width).toBeGreaterThan(0.98 * 224 ** 2);
        expect(Math.min(to.height, to.width)).toBeGreaterThanOrEqual(224);
        expect(to.width / to.height / (width / height)).toBeCloseTo(1, 1);
      }
      for (const shape of [
        { height: 1, width: 1e6 },
        { height: 3e5, width: 2 },
      ]) {
        const { to } = framing.of(shape);
        expect([to.height > 0, to.width > 0, to.height * to.width <= side ** 2]).toEqual([true, true, true]);
      }
    },
  );
});

describe('evaluation', () => {
  it('sees what Resize and CenterCrop of the file leave: 0.005 off on average and 0.02 at most', async () => {
    const size = 56;
    const resized = antialiased(photo, [0, 0, H, W], { height: 64, width: 95 }); // Resize(64)
    const row = (y: number) => resized.slice(((y + 4) * 95 + 20) * 3, ((y + 4) * 95 + 20 + size) * 3); // CenterCrop(56)
    const exact = Array.from({ length: size }, (_, y) => row(y)).flat();
    const forIt = await decode(sharp, file, forEvaluation(size)).then((decoded) =>
      distance(byKernel(decoded, evaluatedBox(decoded, size), size), exact),
    );
    expect([forIt.mean < 0.005, forIt.most < 0.02, forIt]).toEqual([true, true, forIt]);
  });

  it('sees of a picture decoded for crops the same square, to a pixel of the decoded picture', async () => {
    const size = 56;
    const decoded = await decode(sharp, file, forCrops(size, 0.2));
    const box = evaluatedBox(decoded, size);
    const scale = [H / decoded.height, W / decoded.width, H / decoded.height, W / decoded.width];
    const inFile = box.map((v, i) => v * scale[i]) as unknown as Box;
    [H / 16, (W - (7 * H) / 8) / 2, (7 * H) / 8, (7 * H) / 8].forEach((v, i) =>
      expect(Math.abs(v - inFile[i])).toBeLessThan(scale[i]),
    );
    const { mean, most } = distance(
      byKernel(decoded, box, size),
      antialiased(photo, inFile, { height: size, width: size }),
    );
    expect([mean < 0.01, most < 0.08, mean, most]).toEqual([true, true, mean, most]);
  });

  it('takes 224 of 256 pixels of the shorter side in the middle, and small pictures whole', () => {
    const seen = (height: number, width: number) => {
      const { to, keep } = forEvaluation(224).of({ height, width });
      return [to.height, to.width, keep.height, keep.width];
    };
    expect(seen(375, 500)).toEqual([256, 341, 224, 224]);
    expect(seen(1200, 225)).toEqual([1365, 256, 224, 224]);
    expect(seen(224, 300)).toEqual([224, 300, 224, 224]);
    expect(seen(32, 32)).toEqual([32, 32, 32, 32]);
    expect(evaluatedBox({ height: 256, width: 341 }, 224)).toEqual([16, 58, 224, 224]);
    expect(evaluatedBox({ height: 32, width: 40 }, 32)).toEqual([0, 4, 32, 32]);
    expect([0, 1, 2, 3, 4, 5, 7].map(middle)).toEqual([0, 0, 1, 2, 2, 2, 4]); // as Python rounds halves
  });

  it('squares are cut from the middle', () => {
    expect(squares(32).of({ height: 600, width: 900 })).toEqual({
      to: { height: 32, width: 48 },
      keep: { height: 32, width: 32 },
    });
  });
});
