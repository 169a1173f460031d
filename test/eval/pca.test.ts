import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, useBackend } from '../../src/backend/backend.js';
import { ConfigError } from '../../src/core/errors.js';
import { Rng } from '../../src/core/rng.js';
import { mapFeatures, type UmapModule } from '../../src/eval/feature-map.js';
import { pca } from '../../src/eval/pca.js';
import { gpu } from '../support/devices.js';
import { assertClose } from '../support/op.js';

let before: Backend | undefined;
beforeAll(async () => {
  before = useBackend(await gpu());
});
afterAll(() => void useBackend(before));

/** Orthonormal rows of the discrete cosine transform. */
const basis = (size: number, row: number) =>
  Array.from(
    { length: size },
    (_, i) => Math.sqrt((row ? 2 : 1) / size) * Math.cos((Math.PI * (i + 0.5) * row) / size),
  );

/** Points whose covariance is known: scores of rows of another such basis are uncorrelated and of variance 1. */
function known(count: number, size: number, deviations: number[]) {
  const directions = deviations.map((_, j) => basis(size, j + 1));
  const scores = deviations.map((s, j) => basis(count, j + 1).map((v) => s * v * Math.sqrt(count - 1)));
  const values = Float32Array.from({ length: count * size }, (_, at) => {
    const [i, d] = [Math.floor(at / size), at % size];
    return 3 + deviations.reduce((sum, _, j) => sum + scores[j][i] * directions[j][d], 0);
  });
  return { values, count, size, directions, scores };
}

describe('pca', () => {
  it.each([
    [29, 13],
    [64, 7],
    [8, 33],
  ])('finds a known decomposition of %i points in %i dimensions', async (count, size) => {
    const deviations = [5, 2, 1.9, 0.3];
    const { directions, scores, ...features } = known(count, size, deviations);
    const { components, variances, projected } = await pca(features, 3);
    assertClose('variances', variances, Float32Array.of(25, 4, 3.61), { relative: 1e-4, absolute: 0 });
    for (let j = 0; j < 3; j++) {
      const row = components.subarray(j * size, (j + 1) * size);
      const sign = Math.sign(row.reduce((sum, v, i) => sum + v * directions[j][i], 0));
      assertClose(
        'component',
        row,
        directions[j].map((v) => sign * v),
        { relative: 0, absolute: 2e-3 },
      );
      expect(Math.max(...row)).toBe(Math.max(...row.map(Math.abs)));
      assertClose(
        'projected',
        projected.filter((_, i) => i % 3 === j),
        scores[j].map((v) => sign * v),
        { relative: 0, absolute: 1e-2 },
      );
    }
  });

  it('leaves what does not vary at zero', async () => {
    const { variances, components } = await pca(known(9, 5, [2]), 2);
    assertClose('variances', variances, Float32Array.of(4, 0), { relative: 1e-4, absolute: 1e-5 });
    expect(components.every(Number.isFinite)).toBe(true);
    const { projected } = await pca({ values: new Float32Array(12).fill(1), count: 4, size: 3 });
    expect([...projected]).toEqual(new Array(8).fill(0));
  });

  it('refuses what has no answer', async () => {
    await expect(pca(known(9, 5, [2]), 6)).rejects.toThrow(ConfigError);
    await expect(pca({ values: new Float32Array(3), count: 1, size: 3 })).rejects.toThrow(
      /at least two pictures to vary; got 1/,
    );
  });
});

describe('mapFeatures', () => {
  const rng = new Rng(2, 'map');
  const features = { values: Float32Array.from({ length: 60 }, () => rng.normal()), count: 10, size: 6 };

  it('without umap-js is PCA', async () => {
    expect(await mapFeatures(features, async () => undefined)).toEqual({
      points: (await pca(features)).projected,
      by: 'PCA',
    });
  });

  it('with umap-js is its embedding, of features of length 1', async () => {
    let seen: number[][] = [];
    const UMAP: UmapModule['UMAP'] = class {
      constructor(options: object) {
        expect(options).toMatchObject({ nComponents: 2, nNeighbors: 9 });
      }
      async fitAsync(rows: number[][]) {
        seen = rows;
        return rows.map(([a, b]) => [a, b]);
      }
    };
    const { points, by } = await mapFeatures(features, async () => ({ UMAP }));
    expect([by, points.length, seen.length]).toEqual(['UMAP', 20, 10]);
    for (const row of seen) expect(Math.hypot(...row)).toBeCloseTo(1, 9);
  });

  it('with the real umap-js keeps groups together, the same each time', async () => {
    const [groups, each, size] = [3, 16, 8];
    const values = Float32Array.from(
      { length: groups * each * size },
      (_, i) => (i % size === Math.floor(i / size) % groups ? 5 : 0) + 0.3 * rng.normal(),
    );
    const cloud = { values, count: groups * each, size };
    const { points, by } = await mapFeatures(cloud);
    expect([by, points.length, points.every(Number.isFinite)]).toEqual(['UMAP', 2 * cloud.count, true]);
    for (let i = 0; i < cloud.count; i++) {
      const distance = (j: number) =>
        i === j ? Infinity : Math.hypot(points[2 * i] - points[2 * j], points[2 * i + 1] - points[2 * j + 1]);
      const near = Array.from({ length: cloud.count }, (_, j) => j).sort((a, b) => distance(a) - distance(b))[0];
      expect(near % groups).toBe(i % groups);
    }
    expect(await mapFeatures(cloud)).toEqual({ points, by });
  });
});
