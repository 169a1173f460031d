import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, useBackend } from '../../src/backend/backend.js';
import { ConfigError } from '../../src/core/errors.js';
import { Rng } from '../../src/core/rng.js';
import { type Features, knnAccuracy, knnSweep, nearestNeighbours } from '../../src/eval/knn.js';
import { gpu } from '../support/devices.js';
import { assertClose } from '../support/op.js';

let before: Backend | undefined;
beforeAll(async () => {
  before = useBackend(await gpu());
});
afterAll(() => void useBackend(before));

function features(seed: number, stream: string, count: number, size: number, classes = 3): Features {
  const rng = new Rng(seed, stream);
  return {
    values: Float32Array.from({ length: count * size }, () => rng.normal()),
    count,
    size,
    labels: Uint32Array.from({ length: count }, () => rng.below(classes)),
  };
}

const of = (rows: number[][], labels?: number[]): Features => ({
  values: Float32Array.from(rows.flat()),
  count: rows.length,
  size: rows[0]?.length ?? 2,
  labels: labels && Uint32Array.from(labels),
});

const rowOf = ({ values, size }: Features, i: number) => Array.from(values.subarray(i * size, (i + 1) * size));
const cosine = (a: number[], b: number[]) =>
  a.reduce((s, v, i) => s + v * b[i], 0) / (Math.hypot(...a) * Math.hypot(...b));

/** Every cosine in double precision, sorted whole. */
const brute = (queries: Features, bank: Features, i: number) =>
  Array.from({ length: bank.count }, (_, j) => ({ j, s: cosine(rowOf(queries, i), rowOf(bank, j)) })).sort(
    (a, b) => b.s - a.s || a.j - b.j,
  );

const cases = fc.record({
  queries: fc.constantFrom(1, 2, 5, 13, 31),
  bank: fc.constantFrom(1, 2, 3, 7, 17, 64, 65),
  size: fc.constantFrom(1, 2, 3, 5, 16, 33),
  k: fc.constantFrom(1, 2, 3, 7, 64, 200),
  seed: fc.nat(0xffff),
});

describe('nearestNeighbours', () => {
  it('equals brute force', () =>
    fc.assert(
      fc.asyncProperty(cases, async ({ queries: n, bank: m, size, k, seed }) => {
        const [queries, bank] = [features(seed, 'queries', n, size), features(seed, 'bank', m, size)];
        const near = await nearestNeighbours(queries, bank, k);
        const take = Math.min(k, m);
        expect([near.k, near.index.length, near.similarity.length]).toEqual([take, n * take, n * take]);
        for (let i = 0; i < n; i++) {
          const index = Array.from(near.index.subarray(i * take, (i + 1) * take));
          const similarity = Array.from(near.similarity.subarray(i * take, (i + 1) * take));
          const all = brute(queries, bank, i);
          expect(new Set(index).size).toBe(take);
          assertClose(
            `similarities of query ${i}`,
            similarity,
            all.slice(0, take).map((a) => a.s),
            { relative: 0, absolute: 2e-6 },
          );
          // which bank row it is may only differ between similarities that f32 cannot tell apart
          index.forEach((j, place) =>
            assertClose(
              `neighbour ${place} of query ${i}`,
              [cosine(rowOf(queries, i), rowOf(bank, j))],
              [all[place].s],
              { relative: 0, absolute: 2e-6 },
            ),
          );
          for (let place = 1; place < take; place++)
            expect(similarity[place]).toBeLessThanOrEqual(similarity[place - 1]);
        }
      }),
      { numRuns: 40 },
    ));

  it('crosses its own block of 256 queries', async () => {
    const [queries, bank] = [features(5, 'queries', 259, 4), features(5, 'bank', 9, 4)];
    const near = await nearestNeighbours(queries, bank, 1);
    for (const i of [0, 255, 256, 257, 258]) expect(near.similarity[i]).toBeCloseTo(brute(queries, bank, i)[0].s, 5);
    expect(near.index[256]).toBe(brute(queries, bank, 256)[0].j);
  });

  it('crosses its own block of 65536 rows of the bank', async () => {
    const [queries, bank] = [features(6, 'queries', 3, 12), features(6, 'bank', 65540, 12)];
    // equals in both blocks
    for (const place of [2, 65535, 65536, 65539]) bank.values.set(rowOf(queries, 0), 12 * place);
    const near = await nearestNeighbours(queries, bank, 4);
    expect([...near.index.subarray(0, 4)]).toEqual([2, 65535, 65536, 65539]);
    for (const i of [1, 2])
      expect([...near.similarity.subarray(4 * i, 4 * i + 4)]).toEqual(
        brute(queries, bank, i)
          .slice(0, 4)
          .map(({ s }) => expect.closeTo(s, 5)),
      );
  });

  it('of equals the earlier one comes first', async () => {
    const bank = of([
      [0, 1],
      [1, 0],
      [1, 0],
      [1, 0],
      [-1, 0],
      [1, 0],
    ]);
    const near = await nearestNeighbours(
      of([
        [3, 0],
        [0, -5],
      ]),
      bank,
      4,
    );
    expect(Array.from(near.index)).toEqual([1, 2, 3, 5, 1, 2, 3, 4]);
    assertClose('similarity', near.similarity, [1, 1, 1, 1, 0, 0, 0, 0]);
  });

  it('lengths do not matter', async () => {
    const near = await nearestNeighbours(
      of([[3, 4]]),
      of([
        [40, 30],
        [0.3, 0.4],
        [-300, 400],
      ]),
      3,
    );
    expect(Array.from(near.index)).toEqual([1, 0, 2]);
    assertClose('similarity', near.similarity, [1, 0.96, 0.28]);
  });

  it('with k above the bank every row is a neighbour', async () => {
    const near = await nearestNeighbours(
      of([[1, 1]]),
      of([
        [0, 1],
        [1, 1],
        [-1, -1],
      ]),
      200,
    );
    expect([near.k, ...near.index]).toEqual([3, 1, 0, 2]);
    assertClose('similarity', near.similarity, [1, Math.SQRT1_2, -1]);
  });

  it('names a k or a bank that cannot work', async () => {
    const one = of([[1, 0]]);
    for (const k of [0, -1, 1.5, NaN])
      await expect(nearestNeighbours(one, one, k)).rejects.toThrow(`k-NN: k must be a whole number above 0; got ${k}`);
    await expect(nearestNeighbours(one, { values: new Float32Array(0), count: 0, size: 2 }, 1)).rejects.toThrow(
      'k-NN: the bank must hold features',
    );
  });
});

describe('knnAccuracy', () => {
  it('equals the definition: every neighbour votes e^(s / T)', () =>
    fc.assert(
      fc.asyncProperty(cases, fc.constantFrom(0.07, 0.1, 0.5, 1), async ({ queries: n, bank: m, size, k, seed }, T) => {
        const [queries, bank] = [features(seed, 'queries', n, size), features(seed, 'bank', m, size)];
        let [sure, open] = [0, 0];
        for (let i = 0; i < n; i++) {
          const all = brute(queries, bank, i);
          const votes = [0, 0, 0];
          for (const { j, s } of all.slice(0, k)) votes[bank.labels![j]] += Math.exp(s / T);
          const [most, next] = [...votes].sort((a, b) => b - a);
          const edge = k < m ? all[k - 1].s - all[k].s : 1; // f32 may take the other of two at the edge
          if (most - next < 1e-3 * most || edge < 1e-5) open++;
          else if (votes.indexOf(most) === queries.labels![i]) sure++;
        }
        const right = Math.round((await knnAccuracy(queries, bank, { k, T })) * n);
        expect(right).toBeGreaterThanOrEqual(sure);
        expect(right).toBeLessThanOrEqual(sure + open);
      }),
      { numRuns: 40 },
    ));

  it('near neighbours outweigh many far ones at a low temperature, and not at a high one', async () => {
    const far = (angle: number) => [Math.cos(angle), Math.sin(angle)];
    const bank = of([far(0.1), far(1), far(1.1), far(1.2)], [0, 1, 1, 1]);
    const query = of([[1, 0]], [0]);
    expect(await knnAccuracy(query, bank, { k: 4, T: 0.1 })).toBe(1); // e^9.95 against e^5.4 + e^4.5 + e^3.6
    expect(await knnAccuracy(query, bank, { k: 4, T: 10 })).toBe(0);
    expect(await knnAccuracy(query, bank, { k: 1, T: 10 })).toBe(1);
  });

  it('of equal votes the class of the nearest wins', async () => {
    const bank = of(
      [
        [1, 0],
        [1, 0],
      ],
      [2, 1],
    );
    expect(await knnAccuracy(of([[1, 0]], [2]), bank, { k: 2, T: 0.1 })).toBe(1);
    expect(await knnAccuracy(of([[1, 0]], [1]), bank, { k: 2, T: 0.1 })).toBe(0);
  });

  it('a tiny temperature does not overflow', async () => {
    const bank = of(
      [
        [1, 0],
        [0, 1],
      ],
      [0, 1],
    );
    expect(
      await knnAccuracy(
        of(
          [
            [1, 0.1],
            [0.1, 1],
          ],
          [0, 1],
        ),
        bank,
        { k: 2, T: 1e-4 },
      ),
    ).toBe(1);
  });

  it('needs labels on both sides', async () => {
    const [labelled, bare] = [of([[1, 0]], [0]), of([[1, 0]])];
    await expect(knnAccuracy(labelled, bare, { k: 1, T: 1 })).rejects.toThrow(ConfigError);
    await expect(knnAccuracy(bare, labelled, { k: 1, T: 1 })).rejects.toThrow('k-NN: both sets must have labels');
  });
});

describe('knnSweep', () => {
  it('gives for every k and T what that k and T give alone, in order', async () => {
    const [queries, bank] = [features(6, 'queries', 29, 5), features(6, 'bank', 40, 5)];
    const [ks, Ts] = [
      [7, 1, 200, 40],
      [0.5, 0.07],
    ];
    const swept = await knnSweep(queries, bank, ks, Ts);
    expect(swept.map(({ k, T }) => [k, T])).toEqual(ks.flatMap((k) => Ts.map((T) => [k, T])));
    for (const { k, T, accuracy } of swept) expect(await knnAccuracy(queries, bank, { k, T })).toBe(accuracy);
    expect(new Set(swept.map((s) => s.accuracy)).size).toBeGreaterThan(2);
  });

  it('names a k or T that cannot work', async () => {
    const one = of([[1, 0]], [0]);
    await expect(knnSweep(one, one, [5, 0], [1])).rejects.toThrow('k-NN: k must be a whole number above 0; got 0');
    await expect(knnSweep(one, one, [1], [0])).rejects.toThrow('k-NN: T must be a number above 0; got 0');
  });

  it('counts queries whose features are no numbers as wrong, and gives such neighbours no vote', async () => {
    const bank = of(
      [
        [1, 0],
        [NaN, 1],
        [0, 1],
        [NaN, NaN],
      ],
      [0, 1, 1, 0],
    );
    const near = await nearestNeighbours(
      of([
        [1, 0.1],
        [NaN, 0],
      ]),
      bank,
      4,
    );
    expect([...near.index.subarray(0, 4)]).toEqual([0, 2, 1, 3]);
    expect([...near.similarity].map((s) => Number.isNaN(s))).toEqual([
      false,
      false,
      true,
      true,
      true,
      true,
      true,
      true,
    ]);
    for (const label of [0, 1]) expect(await knnAccuracy(of([[NaN, 0]], [label]), bank, { k: 4, T: 0.1 })).toBe(0);
    expect(
      await knnAccuracy(
        of(
          [
            [1, 0.1],
            [0.1, 1],
          ],
          [0, 1],
        ),
        bank,
        { k: 4, T: 0.1 },
      ),
    ).toBe(1);
  });

  it('gives a collapsed encoder what guessing the first class of the bank gives', async () => {
    const same = (labels: number[]) =>
      of(
        labels.map(() => [2, 1]),
        labels,
      );
    expect(await knnAccuracy(same([0, 1, 2, 3]), same([0, 0, 1, 1, 2, 2, 3, 3]), { k: 4, T: 0.1 })).toBe(1 / 4);
  });

  it('the nearest has the same weight at any temperature', async () => {
    expect(
      await knnAccuracy(
        of([[1, 3]], [1]),
        of(
          [
            [1, 0],
            [0, 1],
          ],
          [0, 1],
        ),
        { k: 2, T: 1e-4 },
      ),
    ).toBe(1);
  });
});
