import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { Rng } from '../../src/core/rng.js';
import { augment, normalizePictures } from '../../src/ops/augment.js';
import {
  AUGMENT_COLUMNS,
  type Augmentation,
  cifarAugmentation,
  mocoV1Augmentation,
  mocoV2Augmentation,
  mocoV3Augmentations,
  sampleAugmentation,
  wholePictures,
} from '../../src/ops/augment_params.js';
import { tensor } from '../../src/tensor/tensor.js';
import { gpu, on, reference } from '../support/devices.js';
import { assertClose, checkOp } from '../support/op.js';

const presets = {
  v1: mocoV1Augmentation,
  v2: mocoV2Augmentation,
  v3: { ...mocoV3Augmentations[1], solarize: 0.5 },
  cifar: cifarAugmentation,
};
const side = fc.constantFrom(1, 2, 3, 5, 7, 13);
const plain = { mean: [0, 0, 0], std: [1, 1, 1] };

const cases = fc.record({
  M: fc.constantFrom(1, 3),
  N: fc.constantFrom(0, 1, 2, 5),
  H: side,
  W: side,
  height: side,
  width: side,
  preset: fc.constantFrom('v1', 'v2', 'v3', 'cifar'),
  seed: fc.nat(0xffff),
});

const bytes = (n: number, seed = 1) => {
  const rng = new Rng(seed);
  return Uint8Array.from({ length: n }, () => rng.below(256));
};

/** The table for numbers that are given by name; the rest leaves a picture as it is. */
function rowsOf(
  count: number,
  size: number,
  given: { steps?: [number, number][]; sigma?: number; flip?: boolean; solarize?: boolean },
): Float32Array {
  const table = wholePictures(count, size, size);
  for (let n = 0; n < count; n++) {
    const at = n * AUGMENT_COLUMNS;
    given.steps?.forEach((s, i) => table.set(s, at + 4 + 2 * i));
    table.set([given.sigma ?? 0, given.solarize ? 1 : 0, given.flip ? 1 : 0], at + 14);
  }
  return table;
}

/** Square pictures `x`, all of them, through a table. */
async function through(
  table: Float32Array,
  x: Uint8Array,
  size: number,
  to = size,
  backend?: Backend,
): Promise<number[]> {
  const count = x.length / (3 * size * size);
  const y = on(backend ?? (await gpu()), () =>
    augment(
      tensor(x, [count, size, size, 3]),
      tensor(Uint32Array.from({ length: count }, (_, i) => i)),
      tensor(table, [count, AUGMENT_COLUMNS]),
      { size: to, ...plain },
    ).data(),
  );
  return Array.from(await y);
}

describe('augment', () => {
  it('GPU = mirror for drawn tables and pictures of any size', () =>
    checkOp(
      cases,
      ({ M, N, H, W, height, width, preset, seed }) => {
        const indices = Array.from({ length: N }, (_, i) => (i * 7 + seed) % M);
        const table = sampleAugmentation(presets[preset], { seed, epoch: 3, view: 1, indices, height: H, width: W });
        return {
          inputs: [
            { shape: [M, H, W, 3], dtype: 'u8', values: (rng) => rng.below(256) },
            { shape: [N], dtype: 'u32', values: (_, i) => indices[i] },
            { shape: [N, AUGMENT_COLUMNS], values: (_, i) => table[i] },
          ],
          f: (x, index, table) =>
            augment(x, index, table, { size: [height, width], mean: presets[preset].mean, std: presets[preset].std }),
        };
      },
      { gradient: false },
      60,
    ));

  it('GPU = mirror for pictures of different shapes one after the other, each as in a set of its own', async () => {
    const shapes = [
      [5, 9],
      [1, 3],
      [14, 6],
      [7, 7],
    ];
    const pixels = shapes.map(([h, w], i) => bytes(3 * h * w, i + 1));
    const all = Uint8Array.from(pixels.flatMap((p) => [...p]));
    const firsts = shapes.map((_, i) => shapes.slice(0, i).reduce((sum, [h, w]) => sum + h * w, 0));
    const order = [2, 0, 3, 1, 2];
    const places = Uint32Array.from(order.flatMap((i) => [firsts[i], ...shapes[i]]));
    const drawn = { seed: 4, epoch: 0, view: 1, indices: order };
    const table = sampleAugmentation(mocoV2Augmentation, { ...drawn, height: 0, width: 0, places });
    const look = (backend: Backend) =>
      on(backend, () =>
        augment(tensor(all, [all.length / 3, 3]), tensor(places, [5, 3]), tensor(table, [5, AUGMENT_COLUMNS]), {
          size: 8,
          ...plain,
        }).data(),
      );
    const [got, mirror] = [await look(await gpu()), await look(reference)];
    assertClose('mirror', got, mirror);
    for (const [row, i] of order.entries()) {
      const [height, width] = shapes[i];
      const own = sampleAugmentation(mocoV2Augmentation, { ...drawn, indices: [i], height, width });
      expect(table.subarray(row * AUGMENT_COLUMNS, (row + 1) * AUGMENT_COLUMNS)).toEqual(own);
      const alone = await on(await gpu(), () =>
        augment(
          tensor(pixels[i], [1, height, width, 3]),
          tensor(Uint32Array.of(0)),
          tensor(own, [1, AUGMENT_COLUMNS]),
          { size: 8, ...plain },
        ).data(),
      );
      expect(got.subarray(row * 192, (row + 1) * 192)).toEqual(alone);
    }
  });

  it.each([31, 32, 33])('GPU = mirror at a side of %i, enlarged and shrunk', async (size) => {
    const [x, indices] = [bytes(2 * size * size * 3), [0, 1]];
    for (const to of [32, 20, 40]) {
      const table = sampleAugmentation(
        { ...mocoV2Augmentation, blur: { probability: 1, sigma: [0.1, 2] } },
        { seed: size + to, epoch: 0, view: 0, indices, height: size, width: size },
      );
      assertClose(`to ${to}`, await through(table, x, size, to), await through(table, x, size, to, reference));
    }
  });

  it('the table of whole pictures gives back every pixel', async () => {
    const x = bytes(2 * 5 * 5 * 3);
    assertClose(
      'pixels',
      await through(wholePictures(2, 5, 5), x, 5),
      Float32Array.from(x, (v) => v / 255),
      { relative: 1e-6 },
    );
  });

  it('a crop of one pixel fills the result with it, and a mean of equal pixels is that pixel', async () => {
    const table = wholePictures(1, 4, 4);
    table.set([2, 1, 1, 1]);
    const x = bytes(48);
    const at = 3 * (2 * 4 + 1);
    assertClose(
      'pixels',
      await through(table, x, 4, 3),
      Array.from({ length: 27 }, (_, i) => x[at + (i % 3)] / 255),
      { relative: 1e-6 },
    );
    assertClose(
      'grey',
      await through(wholePictures(1, 9, 9), new Uint8Array(243).fill(51), 9, 2),
      new Array(12).fill(0.2),
      { relative: 1e-6 },
    );
  });

  it('shrinks as Pillow does: triangles of the width of the step, cut at the edge', async () => {
    const row = [0, 60, 120, 30, 200, 90];
    const x = Uint8Array.from({ length: 6 * 6 * 3 }, (_, i) => row[Math.floor(i / 3) % 6]);
    const y = await through(wholePictures(1, 6, 6), x, 6, 2);
    // 6 to 2: step 3, centres 1.5 and 4.5, weights 1 - |d| / 3: 2/3 1 2/3 1/3 for the first
    const [a, b] = [(0 * 2 + 60 * 3 + 120 * 2 + 30) / 8, (120 + 30 * 2 + 200 * 3 + 90 * 2) / 8];
    assertClose(
      'pixels',
      y,
      [a, a, a, b, b, b, a, a, a, b, b, b].map((v) => v / 255),
    );
  });

  it('flipping twice is the identity', async () => {
    const x = bytes(7 * 7 * 3);
    const once = await through(rowsOf(1, 7, { flip: true }), x, 7);
    const twice = await through(
      rowsOf(1, 7, { flip: true }),
      Uint8Array.from(once, (v) => Math.round(255 * v)),
      7,
    );
    expect(twice.map((v) => Math.round(255 * v))).toEqual(Array.from(x));
    expect(once.slice(0, 3).map((v) => Math.round(255 * v))).toEqual(Array.from(x.slice(18, 21)));
  });

  it('grey makes the channels equal', async () => {
    const y = await through(rowsOf(1, 5, { steps: [[3, 0]] }), bytes(75), 5);
    for (let i = 0; i < 75; i += 3) assertClose('pixel', [y[i + 1], y[i + 2]], [y[i], y[i]]);
  });

  it('a hue turn of 0 or a full circle is the identity, a third moves red to green', async () => {
    const x = bytes(75);
    for (const turn of [0, 1, -1])
      assertClose(
        `turn ${turn}`,
        await through(rowsOf(1, 5, { steps: [[4, turn]] }), x, 5),
        Float32Array.from(x, (v) => v / 255),
      );
    const y = await through(rowsOf(1, 1, { steps: [[4, 1 / 3]] }), Uint8Array.of(255, 51, 0), 1);
    assertClose('green', y, [0, 1, 0.2]);
  });

  it('brightness is linear below the clamp, contrast keeps the mean grey, its factor 0 nothing else', async () => {
    const x = bytes(75).map((v) => 64 + (v >> 2));
    assertClose(
      'brightness',
      await through(rowsOf(1, 5, { steps: [[1, 1.5]] }), x, 5),
      Float32Array.from(x, (v) => (1.5 * v) / 255),
    );
    const grey = (v: ArrayLike<number>) =>
      Array.from(v).reduce((s, c, i) => s + c * [0.299, 0.587, 0.114][i % 3], 0) / 25;
    const flat = await through(rowsOf(1, 5, { steps: [[2, 0]] }), x, 5);
    assertClose('flat', flat, new Array(75).fill(grey(x) / 255));
    assertClose('mean', [grey(await through(rowsOf(1, 5, { steps: [[2, 1.4]] }), x, 5))], [grey(x) / 255]);
  });

  it.each([0.1, 0.125, 0.375, 0.5, 1, 1.41, 1.42, 2, 3.3])(
    'blur of sigma %f: a flat picture stays, a point spreads by sigma²',
    async (sigma) => {
      assertClose(
        'flat',
        await through(rowsOf(1, 4, { sigma }), new Uint8Array(48).fill(102), 4),
        new Array(48).fill(0.4),
      );
      const [size, middle] = [35, 17];
      const point = new Uint8Array(size * size * 3);
      point.fill(255, 3 * middle * (size + 1), 3 * middle * (size + 1) + 3);
      const y = await through(rowsOf(1, size, { sigma }), point, size);
      const moment = (f: (row: number, column: number) => number) =>
        Array.from(
          { length: size * size },
          (_, i) => y[3 * i] * f(Math.floor(i / size) - middle, (i % size) - middle),
        ).reduce((a, b) => a + b);
      const moments = [
        moment(() => 1),
        moment((r) => r),
        moment((_, c) => c),
        moment((r) => r * r),
        moment((_, c) => c * c),
      ];
      assertClose('moments', moments, [1, 0, 0, sigma ** 2, sigma ** 2]);
    },
  );

  it('blur is three boxes along each axis, the edge repeated before each, as in Pillow', async () => {
    const [size, x] = [11, bytes(11 * 11 * 3)];
    for (const sigma of [0.125, 0.375, 0.75, 1.41, 1.42, 2, 6]) {
      const [width, radius] = [size - 1, (Math.sqrt(4 * sigma ** 2 + 1) - 1) / 2];
      const [l, v] = [Math.floor(radius), sigma ** 2 / 3];
      const end = ((2 * l + 1) * (l * (l + 1) - 3 * v)) / (6 * (v - (l + 1) ** 2));
      const box = Array.from({ length: size }, (_, i) => {
        // row i of the matrix of one pass
        const row = new Array<number>(size).fill(0);
        for (let d = -l - 1; d <= l + 1; d++)
          row[Math.min(width, Math.max(0, i + d))] += (Math.abs(d) > l ? end : 1) / (2 * l + 1 + 2 * end);
        return row;
      });
      const times = (a: number[][], b: number[][]) =>
        a.map((row) => b[0].map((_, j) => row.reduce((sum, v, k) => sum + v * b[k][j], 0)));
      const all = times(box, times(box, box));
      const sheets = [0, 1, 2].map((k) =>
        Array.from({ length: size }, (_, r) => Array.from({ length: size }, (_, c) => x[3 * (r * size + c) + k] / 255)),
      );
      const turned = all.map((_, j) => all.map((row) => row[j]));
      const blurred = sheets.map((sheet) => times(times(all, sheet), turned));
      const expected = Array.from(x, (_, i) => blurred[i % 3][Math.floor(i / 3 / size)][Math.floor(i / 3) % size]);
      for (const backend of [await gpu(), reference])
        assertClose(`sigma ${sigma}`, await through(rowsOf(1, size, { sigma }), x, size, size, backend), expected);
    }
  });

  it('solarizing turns the light half over', async () => {
    assertClose(
      'pixel',
      await through(rowsOf(1, 1, { solarize: true }), Uint8Array.of(255, 51, 204), 1),
      [0, 0.2, 0.2],
    );
  });

  it('normalizePictures only scales, and resizes when asked', async () => {
    const x = bytes(2 * 2 * 3 * 3);
    const read = on(await gpu(), () => {
      const [pictures, index] = [tensor(x, [2, 2, 3, 3]), tensor(new Uint32Array([1]))];
      return [
        normalizePictures(pictures, index, cifarAugmentation).data(),
        normalizePictures(pictures, index, { size: 5, ...cifarAugmentation }).data(),
      ];
    });
    const [same, five] = await Promise.all(read);
    assertClose(
      'pixels',
      same,
      Array.from(x.slice(18), (v, i) => (v / 255 - cifarAugmentation.mean[i % 3]) / cifarAugmentation.std[i % 3]),
    );
    expect(five.length).toBe(75);
  });

  it('a picture that is not there and a crop of nothing are NaN, on the device; numbers are checked', async () => {
    for (const device of [await gpu(), reference]) {
      const y = await on(device, () => {
        const table = wholePictures(3, 2, 2);
        table.set([0, 0], 2 * AUGMENT_COLUMNS + 2);
        return augment(
          tensor(new Uint8Array(12).fill(255), [1, 2, 2, 3]),
          tensor([0, 1, 0], [3], 'u32'),
          tensor(table, [3, AUGMENT_COLUMNS]),
          { size: 2, ...plain },
        ).data();
      });
      expect(Array.from(y)).toEqual([...new Array(12).fill(y[0]), ...new Array(24).fill(NaN)]);
      expect(y[0]).toBeGreaterThan(0);
    }
    on(reference, () =>
      expect(() => normalizePictures(tensor(new Uint8Array(12), [1, 2, 2, 3]), [1], plain)).toThrow(
        'normalizePictures: the index must lie in [0, 0]; got 1 at place 0. Correct it.',
      ),
    );
  });

  it('names what does not fit', async () => {
    on(await gpu(), () => {
      const [x, index, table] = [
        tensor(new Uint8Array(12), [1, 2, 2, 3]),
        tensor(new Uint32Array(2)),
        tensor(wholePictures(1, 2, 2), [1, AUGMENT_COLUMNS]),
      ];
      expect(() => augment(x, index, table, { size: 2, ...plain })).toThrow(
        'augment: the table must have shape [2, 17]; got [1, 17]',
      );
      expect(() => augment(tensor(new Uint8Array(4), [1, 2, 2, 1]), index, table, { size: 2, ...plain })).toThrow(
        'augment: pictures must be [M, H, W, 3] or [pixels, 3] with at least one pixel; got [1, 2, 2, 1]',
      );
      expect(() =>
        augment(x, index, tensor(wholePictures(2, 2, 2), [2, AUGMENT_COLUMNS]), { size: 0, ...plain }),
      ).toThrow('augment: size must be a whole number or two, at least 1; got 0');
    });
  });
});

describe('sampleAugmentation', () => {
  const draw = (a: Augmentation, count: number, more: object = {}) =>
    sampleAugmentation(a, {
      seed: 1,
      epoch: 2,
      view: 0,
      indices: Array.from({ length: count }, (_, i) => i),
      height: 40,
      width: 60,
      ...more,
    });
  const rows = (table: Float32Array) =>
    Array.from({ length: table.length / AUGMENT_COLUMNS }, (_, i) =>
      Array.from(table.subarray(i * AUGMENT_COLUMNS, (i + 1) * AUGMENT_COLUMNS)),
    );
  const part = (list: unknown[], of: unknown[]) => list.length / of.length;

  it('depends on seed, epoch, view and picture, and on nothing else', () => {
    const all = rows(draw(mocoV2Augmentation, 20));
    const shuffled = rows(draw(mocoV2Augmentation, 0, { indices: [7, 3, 19, 7] }));
    expect(shuffled).toEqual([all[7], all[3], all[19], all[7]]);
    for (const change of [{ seed: 2 }, { epoch: 3 }, { view: 1 }])
      expect(rows(draw(mocoV2Augmentation, 20, change))).not.toEqual(all);
    expect(new Set(all.map(String)).size).toBe(20);
  });

  it('boxes stay inside, within the ranges of area and ratio, and reach all corners', () => {
    const boxes = rows(draw(mocoV2Augmentation, 3000));
    const areas = boxes.map(([, , h, w]) => (h * w) / 2400);
    const ratios = boxes.map(([, , h, w]) => w / h);
    expect(
      boxes.every(
        ([t, l, h, w]) => t >= 0 && l >= 0 && t + h <= 40 && l + w <= 60 && [t, l, h, w].every(Number.isInteger),
      ),
    ).toBe(true);
    expect(Math.min(...areas)).toBeGreaterThan(0.19);
    expect(Math.min(...ratios)).toBeGreaterThan(0.72);
    expect(Math.max(...ratios)).toBeLessThan(1.39);
    for (const corner of [([t, l]: number[]) => t + l === 0, ([t, l, h, w]: number[]) => t + h === 40 && l + w === 60])
      expect(boxes.some(corner)).toBe(true);
    expect(areas.reduce((a, b) => a + b) / 3000).toBeGreaterThan(0.4);
  });

  it('a picture that no box fits is cut in the middle', () => {
    const [tall] = rows(draw({ ...mocoV2Augmentation, scale: [1, 1] }, 1, { height: 100, width: 10 }));
    expect(tall.slice(0, 4)).toEqual([43, 0, 13, 10]);
    const [wide] = rows(draw({ ...mocoV2Augmentation, scale: [1, 1] }, 1, { height: 3, width: 30 }));
    expect(wide.slice(0, 4)).toEqual([0, 13, 3, 4]);
    expect(rows(draw(mocoV2Augmentation, 1, { height: 1, width: 1 }))[0].slice(0, 4)).toEqual([0, 0, 1, 1]);
  });

  it('each part happens as often as its probability says, with factors over its range', () => {
    const all = rows(draw({ ...mocoV2Augmentation, solarize: 0.2 }, 4000));
    const steps = all.map((r) => [0, 1, 2, 3, 4].map((i) => [r[4 + 2 * i], r[5 + 2 * i]]));
    const jittered = steps.filter((s) => s.some(([code]) => code === 1));
    const grey = steps.filter((s) => s.some(([code, factor]) => code === 3 && factor === 0));
    const near = (p: number, expected: number) =>
      expect(Math.abs(p - expected)).toBeLessThan(4 * Math.sqrt((expected * (1 - expected)) / 4000));
    near(part(jittered, all), 0.8);
    near(part(grey, all), 0.2);
    near(
      part(
        all.filter((r) => r[14] > 0),
        all,
      ),
      0.5,
    );
    near(
      part(
        all.filter((r) => r[15] === 1),
        all,
      ),
      0.2,
    );
    near(
      part(
        all.filter((r) => r[16] === 1),
        all,
      ),
      0.5,
    );
    expect(new Set(jittered.map((s) => String(s.slice(0, 4).map(([code]) => code)))).size).toBe(24);
    for (const [code, lo, hi] of [
      [1, 0.6, 1.4],
      [2, 0.6, 1.4],
      [4, -0.1, 0.1],
    ]) {
      const factors = steps
        .flat()
        .filter(([c]) => c === code)
        .map(([, factor]) => factor);
      expect(Math.min(...factors)).toBeGreaterThanOrEqual(Math.fround(lo));
      expect(Math.min(...factors)).toBeLessThan(lo + 0.02);
      expect(Math.max(...factors)).toBeGreaterThan(hi - 0.02);
    }
    const sigmas = all.map((r) => r[14]).filter((s) => s > 0);
    expect([Math.min(...sigmas) < 0.13, Math.max(...sigmas) > 1.95, Math.max(...sigmas) <= 2]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('v1 greys before a jitter that is always on; CIFAR never blurs; parts left out never happen', () => {
    const v1 = rows(draw(mocoV1Augmentation, 300));
    expect(v1.every((r) => [4, 6, 8, 10, 12].some((i) => r[i] === 1) && r[14] === 0)).toBe(true);
    const grey = v1.filter((r) => r[4] === 3 && r[5] === 0);
    expect(grey.length).toBeGreaterThan(30);
    expect(rows(draw(cifarAugmentation, 300)).every((r) => r[14] === 0)).toBe(true);
    const bare = rows(draw({ scale: [1, 1], ratio: [1, 1], flip: 0, ...plain }, 50, { height: 8, width: 8 }));
    expect(bare).toEqual(rows(wholePictures(50, 8, 8)));
  });

  it('names what cannot be', () => {
    expect(() => draw(cifarAugmentation, 1, { view: 16 })).toThrow(
      'sampleAugmentation: draw: view must be a whole number in [0, 15]; got 16',
    );
    for (const sigma of [
      [0, 11],
      [-1, 2],
      [2, 1],
      [NaN, 2],
    ] as const)
      expect(() => draw({ ...mocoV2Augmentation, blur: { probability: 1, sigma } }, 1)).toThrow(
        `sampleAugmentation: blur: sigma must be a range in [0, 10] pixels; got [${sigma.join(', ')}]`,
      );
  });
});
