import { describe, expect, it } from 'vitest';
import { useBackend } from '../../src/backend/backend.js';
import { knnSweep } from '../../src/eval/knn.js';
import { positionEmbedding } from '../../src/nn/position-embedding.js';
import { cosine, momentumCosine, stepDecay, warmupCosine } from '../../src/optim/schedule.js';
import { gpu, on, reference64 } from '../support/devices.js';
import { cases, compare, type Items, names } from './golden.js';
import { even, initial, permutation, picture, unitColumns, units } from './values.js';

describe('golden values', () => {
  it('all belong to a case that a test compares', () => {
    const of = (room: string, all: object) => Object.keys(all).map((name) => `${room}/${name}`);
    const known = [
      ...(['features', 'moco', 'v3', 'augment'] as const).flatMap((room) => of(room, cases[room])),
      ...of('optim', { sgd: 0, lars: 0, adamw: 0 }),
      'generator',
      'knn',
      'schedule',
      ...cases.positions.map((p) => `positions/${p.join('x')}`),
    ];
    expect(names.filter((name) => !known.some((k) => name === k || name.startsWith(`${k}/`)))).toEqual([]);
    expect(known.filter((k) => !names.some((name) => name === k || name.startsWith(`${k}/`)))).toEqual([]);
  });

  it('are of the inputs that are made here', () => {
    const check = [
      ...even('a', [7]),
      ...initial('conv1.weight', [4, 3, 3, 3]),
      ...unitColumns('q', 4, 5),
      ...permutation('p', 9),
    ];
    const made: Items = new Map<string, ArrayLike<number>>([['generator/check', check]]);
    compare('generator', made.set('generator/picture', picture(cases.picture.H, cases.picture.W)), {
      error: 0,
      rms: 0,
    });
  });
});

describe('k-NN', () => {
  const { classes, size, cells, ...counts } = cases.knn;
  const centre = even('knn/centre', [classes, size]);
  const set = (name: 'bank' | 'queries') => {
    const labels = Uint32Array.from(units(`knn/${name}/labels`, counts[name]), (u) => Math.floor(u * classes));
    const noise = even(`knn/${name}/x`, [counts[name], size]);
    return {
      values: noise.map((v, i) => 0.45 * centre[labels[Math.floor(i / size)] * size + (i % size)] + v),
      count: counts[name],
      size,
      labels,
    };
  };

  it.each(['GPU', 'reference'])("has the accuracy of InstDisc's code on the %s", async (where) => {
    const before = useBackend(where === 'GPU' ? await gpu() : reference64);
    try {
      const found = await knnSweep(
        set('queries'),
        set('bank'),
        cells.map(([k]) => k),
        cells.map(([, T]) => T),
      );
      const accuracies = cells.map(([k, T]) => found.find((f) => f.k === k && f.T === T)!.accuracy);
      compare('knn', new Map([['knn/accuracy', accuracies]]), { error: 1e-7 });
    } finally {
      useBackend(before);
    }
  });
});

describe('schedules and positions', () => {
  it("schedules are those of MoCo's code", () => {
    const all = {
      v2: [0, 1, 100, 199].map((e) => cosine(0.03, e / 200)),
      colab: [1, 2, 101, 200].map((e) => warmupCosine(0.06, e, 0, 200)),
      v1: [0, 119, 120, 159, 160, 199].map((e) => stepDecay(0.03, e, [120, 160])),
      v3: [0, 0.25, 9.75, 10, 55.5, 99.75].map((e) => warmupCosine(9.6, e, 10, 100)),
      v3_m: [0, 0.25, 50, 99.75].map((e) => momentumCosine(0.99, e, 100)),
    };
    compare('schedule', new Map(Object.entries(all).map(([name, values]) => [`schedule/${name}`, values])), {
      error: 1e-7,
    });
  });

  it.each(cases.positions)(
    "position embeddings of %i × %i patches in %i channels are moco-v3's",
    async (h, w, width) => {
      const name = `positions/${h}x${w}x${width}`;
      for (const backend of [await gpu(), reference64])
        compare(name, new Map([[name, await on(backend, () => positionEmbedding(h, w, width).data())]]), {
          error: 1e-7,
        });
    },
  );
});
