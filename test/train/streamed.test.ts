import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, useBackend } from '../../src/backend/backend.js';
import { ReferenceBackend } from '../../src/backend/reference.js';
import { loadCheckpoint, saveCheckpoint } from '../../src/checkpoints/checkpoint.js';
import { evaluatedBox } from '../../src/data/framing.js';
import { loadPictures } from '../../src/data/load-pictures.js';
import type { PictureSource, Pictures, Pixels, StreamedPictures } from '../../src/data/picture-source.js';
import { pictureAt, splitHeldOut, subset } from '../../src/data/pictures.js';
import { syntheticPictures } from '../../src/data/synthetic.js';
import { embedPictures, pixelFeatures, pixelRows } from '../../src/eval/embed.js';
import type { Features } from '../../src/eval/knn.js';
import { type LinearConfig, linearRecipes } from '../../src/eval/linear-config.js';
import { linearProbe } from '../../src/eval/linear-probe.js';
import { rawPixelAccuracy } from '../../src/eval/raw-pixels.js';
import type { Normalisation } from '../../src/input/evaluation-crop.js';
import { resident } from '../../src/input/step-pictures.js';
import type { PretrainConfig } from '../../src/moco/config.js';
import { buildModel, type Encoder } from '../../src/nn/models.js';
import { augment } from '../../src/ops/augment.js';
import { cropTable } from '../../src/ops/augment_params.js';
import { picture } from '../../src/report/nearest-gallery.js';
import { thumbnails } from '../../src/report/thumbnails.js';
import { previewViews } from '../../src/report/view-pairs.js';
import { noGrad } from '../../src/tensor/autograd.js';
import { tensor } from '../../src/tensor/tensor.js';
import { Pretraining } from '../../src/train/pretrain.js';
import type { StepRecord } from '../../src/train/records.js';
import { supervisedRecipe, trainClassifier } from '../../src/train/supervised.js';
import { reference } from '../support/devices.js';
import { base, v3 } from '../support/short_run.js';

let before: Backend | undefined;
beforeAll(() => {
  before = useBackend(reference);
});
afterAll(() => void useBackend(before));

/** Pictures of 17 by 17, so that neither one of them nor a batch is a whole number of words. */
const all = syntheticPictures({ count: 26, size: 17, seed: 3 });

/** The same, each cut to a shape of its own: 17×9, 16×10, 15×11 … */
const many: Pictures = (() => {
  const shapes = Array.from({ length: all.count }, (_, i) => [17 - (i % 5), 9 + (i % 7)]);
  const cut = shapes.map(([h, w], i) =>
    Array.from({ length: h }, (_, y) => [
      ...all.data.subarray((i * 17 + y) * 17 * 3, ((i * 17 + y) * 17 + w) * 3),
    ]).flat(),
  );
  let pixels = 0;
  const places = Uint32Array.from(shapes.flatMap(([h, w]) => [(pixels += h * w) - h * w, h, w]));
  return { ...all, data: Uint8Array.from(cut.flat()), places };
})();

interface Counted {
  set: StreamedPictures;
  /** Calls of `load`: how many pictures each asked for. */
  asked: number[];
}

/** The pictures at `indices`, in room for height × width pixels each, as streams give them. */
function roomy(p: Pictures, indices: ArrayLike<number>): Pixels {
  if (!p.places) return { data: subset(p, indices).data };
  const room = p.height * p.width;
  const data = new Uint8Array(3 * room * indices.length);
  const places = Array.from(
    indices,
    (i, n) => (data.set(pictureAt(p, i).data, 3 * room * n), [room * n, p.places![3 * i + 1], p.places![3 * i + 2]]),
  );
  return { data, places: Uint32Array.from(places.flat()) };
}

/** The same pictures as a stream. */
function streamed(p: Pictures, delay = 0): Counted {
  const asked: number[] = [];
  const { data: _, places, ...about } = p;
  const load = async (indices: ArrayLike<number>, signal?: AbortSignal) => {
    asked.push(indices.length);
    await new Promise((done) => setTimeout(done, delay));
    signal?.throwIfAborted();
    return roomy(p, indices);
  };
  return { set: { ...about, ...(places && { manyShapes: true }), load }, asked };
}

const normalisation: Normalisation = { size: base.size, mean: base.mean, std: base.std };
const start = (source: PictureSource, changed: Partial<PretrainConfig> = {}, ahead?: number) =>
  new Pretraining({ ...base, ...changed }, splitHeldOut(source, 0.2, 3), ahead === undefined ? {} : { ahead });
const file = async (run: Pretraining) => Buffer.from(await saveCheckpoint(run.method, {}));

/** What a run tells and ends with. */
async function whole(run: Pretraining): Promise<{ told: object[]; weights: Buffer }> {
  const told: object[] = [];
  await run.run({ onStep: (r) => told.push(r), onKnn: (r) => told.push(r), onSpread: (r) => told.push(r) });
  return { told, weights: await file(run) };
}

describe('a streamed run', () => {
  it.each<[string, Partial<PretrainConfig>]>([
    ['MoCo v2', { batch: 10 }],
    ['MoCo, symmetric, in two parts', { symmetric: true, accumulate: 2 }],
    ['MoCo v3', v3],
    ['memory bank in two parts', { method: 'memory-bank', m: 0.5, accumulate: 2 }],
    ['end to end', { method: 'end-to-end' }],
  ])('of %s is that of pictures in memory, to the bit', async (_, changed) => {
    const [want, got] = [await whole(start(all, changed)), await whole(start(streamed(all).set, changed))];
    expect(got.told).toEqual(want.told);
    expect(want.told.length).toBeGreaterThan(4);
    expect(got.weights.equals(want.weights)).toBe(true);
  });

  it.each<[string, Partial<PretrainConfig>]>([
    ['MoCo v2, symmetric, in two parts', { symmetric: true, accumulate: 2 }],
    ['end to end', { method: 'end-to-end' }],
  ])('of %s and pictures of different shapes is that of pictures in memory, to the bit', async (_, changed) => {
    const [want, got] = [await whole(start(many, changed)), await whole(start(streamed(many).set, changed))];
    expect(got.told).toEqual(want.told);
    expect(want.told.length).toBeGreaterThan(4);
    expect(got.weights.equals(want.weights)).toBe(true);
    expect((await whole(start(all, changed))).weights.equals(want.weights)).toBe(false); // shapes matter
  });

  it('of different shapes, stopped in the middle, goes on either way to the same bits', async () => {
    const want = await whole(start(many));
    const abort = new AbortController();
    const first = start(streamed(many).set);
    await first.run({ signal: abort.signal, onStep: () => abort.abort() });
    expect(first.position.step).toBeLessThan(first.totalSteps);
    for (const source of [many, streamed(many).set]) {
      const second = start(source);
      loadCheckpoint(second.method, await file(first), 'first');
      second.position = first.position;
      expect((await whole(second)).weights.equals(want.weights)).toBe(true);
    }
  });

  it('stopped in the middle goes on either way to the same bits', async () => {
    const want = await whole(start(all));
    const abort = new AbortController();
    const first = start(streamed(all).set);
    const steps: StepRecord[] = [];
    await first.run({ signal: abort.signal, onStep: (r) => (steps.push(r), abort.abort()) });
    expect(first.position.step).toBeLessThan(first.totalSteps);
    for (const source of [all, streamed(all).set]) {
      const second = start(source);
      loadCheckpoint(second.method, await file(first), 'first');
      second.position = first.position;
      expect((await whole(second)).weights.equals(want.weights)).toBe(true);
    }
  });

  it.each([0, 1, 3])('decodes at most %i steps ahead', async (ahead) => {
    const { set, asked } = streamed(all);
    const run = start(set, { epochs: 3 }, ahead);
    const most: number[] = [];
    let seen = 0;
    const stop = new AbortController();
    await run.run({
      signal: stop.signal,
      onStep: ({ step }) => most.push(asked.length - step),
      onEpoch: () => void seen++,
    });
    expect(seen).toBe(3);
    expect(Math.max(...most)).toBeLessThanOrEqual(ahead + 2); // `onStep` is told up to two steps late
    expect(asked.length).toBe(run.totalSteps);
    expect(asked.every((n) => n === base.batch)).toBe(true);
  });

  it('gives up what it began when stopped, and an error is thrown by the step that needs the picture', async () => {
    const { set } = streamed(all);
    const [signals, stop] = [[] as AbortSignal[], new AbortController()];
    const slow: StreamedPictures = {
      ...set,
      load: (indices, signal) => (signals.push(signal!), set.load(indices, signal)),
    };
    await start(slow, { epochs: 4 }).run({ signal: stop.signal, onStep: () => stop.abort() });
    expect(signals.at(-1)!.aborted).toBe(true);
    let calls = 0;
    const failing: StreamedPictures = {
      ...set,
      load: (indices) => (++calls === 3 ? Promise.reject(new Error('gone')) : set.load(indices)),
    };
    const run = start(failing, { epochs: 4 });
    await expect(run.run()).rejects.toThrow('gone');
    expect(run.position.step).toBe(2);
  });

  it('warns once where the device waits for pictures, and once of each damaged picture', async () => {
    const { set } = streamed(all, 150);
    const damaged: StreamedPictures = {
      ...set,
      skipped: [],
      load: (indices, signal) => (
        damaged.skipped.length === 0 && damaged.skipped.push({ name: 'x.jpg', reason: 'cut' }),
        set.load(indices, signal)
      ),
    };
    const said: string[] = [];
    const run = start(damaged, {}, 0);
    await run.run({ onWarning: (text) => said.push(text) });
    expect(said).toEqual(run.warnings.slice(-2));
    expect(said.sort()).toEqual([
      expect.stringMatching(/^epoch 1: the device waited for pictures in \d\d % of the time\./),
      "x.jpg: it cannot be decoded ('cut'), so grey stands for it. Replace or remove it before the next run.",
    ]);
    const quick: string[] = [];
    await start(all).run({ onWarning: (text) => quick.push(text) });
    expect(quick).toEqual([]);
  });

  it('is what pictures in memory are that no buffer of the device holds, to the bit', async () => {
    const small = new (class extends ReferenceBackend {
      readonly largest = all.data.length / 2;
    })();
    const once = () => whole(start(all, { epochs: 1 }));
    const want = await once();
    const before = useBackend(small);
    try {
      const got = await once();
      expect(got.told).toEqual(want.told);
      expect(got.weights.equals(want.weights)).toBe(true);
      expect(() => resident(all)).toThrow(
        'pictures: all that stay on the device must fit into one of its buffers, 11 KiB on reference (f32); ' +
          'got 26 of 17×17, 22 KiB.',
      );
    } finally {
      useBackend(before);
    }
  });

  it('has raw pixels row by row', () => {
    const { mean, std } = base;
    const { rows, ...about } = pixelRows(all, mean, std);
    const { values, ...also } = pixelFeatures(all, mean, std);
    expect(about).toEqual(also);
    expect(rows(3, 2)).toEqual(values.subarray(3 * about.size, 5 * about.size));
    expect(values[4]).toBe(Math.fround((all.data[4] / 255 - mean[1]) / std[1]));
  });

  it('measures the same raw pixels, and leaves them out of sets too large for memory', async () => {
    const both = (source: PictureSource) => splitHeldOut(source, 0.3, 1);
    for (const set of [all, many])
      expect(await rawPixelAccuracy(both(streamed(set).set), base)).toBe(await rawPixelAccuracy(both(set), base));
    expect(await rawPixelAccuracy({ train: { ...streamed(all).set, count: 1e6 }, heldOut: all }, base)).toBeUndefined();
    expect(await rawPixelAccuracy({ train: { ...all, count: 1e9 }, heldOut: all }, base)).toBeUndefined();
  });

  it('refuses an impossible number of steps ahead', () => {
    expect(() => start(all, {}, -1)).toThrow('ahead: it must be a whole number of steps in [0, 64]; got -1');
  });
});

describe('pictures of different shapes', () => {
  const encoder = () => buildModel('resnet-tiny', { stem: 'small', head: 'mlp', dim: 8, size: 8, seed: 1 }) as Encoder;
  const rows = ({ values, size }: Features, i: number) => values.subarray(i * size, (i + 1) * size);

  it('have the features they have alone, to the bit, in memory and streamed', async () => {
    const model = encoder();
    const [kept, stream] = [
      await embedPictures(model, many, undefined, base),
      await embedPictures(model, streamed(many).set, undefined, base),
    ];
    expect(stream).toEqual(kept);
    for (const i of [0, 8, 25])
      expect(rows(await embedPictures(model, subset(many, [i]), undefined, base), 0)).toEqual(rows(kept, i));
    const [first, height, width] = many.places!.subarray(24, 27);
    const own: Pictures = {
      ...subset(all, [8]),
      data: many.data.subarray(3 * first, 3 * (first + height * width)),
      height,
      width,
    };
    const table = cropTable(1, () => evaluatedBox({ height, width }, base.size));
    const seen = augment(
      tensor(own.data, [1, height, width, 3]),
      tensor(Uint32Array.of(0)),
      tensor(table, [1, table.length]),
      normalisation,
    );
    expect(await noGrad(() => model.eval().embed(seen)).data()).toEqual(rows(kept, 8));
  });

  it('train and measure classifiers, streamed as in memory', async () => {
    const sets = (p: PictureSource) => splitHeldOut(p, 0.3, 1);
    const linear: LinearConfig & Normalisation = {
      ...linearRecipes.v1,
      ...normalisation,
      views: 'augment',
      epochs: 2,
      batch: 8,
      lr: 1,
      lrBatch: 8,
      cropMin: base.cropMin,
      seed: base.seed,
    };
    const probe = (p: PictureSource) => linearProbe(encoder(), { ...sets(p), config: linear });
    expect(await probe(streamed(many).set)).toEqual(await probe(many));
    const { loss } = (
      await trainClassifier(
        buildModel('resnet-tiny', { stem: 'small', head: 'linear', dim: 4, size: 8, seed: 1 }),
        sets(many) as { train: Pictures; heldOut: Pictures },
        {
          ...supervisedRecipe('resnet-tiny'),
          ...normalisation,
          warmup: 0,
          epochs: 1,
          batch: 8,
          cropMin: base.cropMin,
          seed: base.seed,
        },
      )
    )[0];
    expect(loss).toBeGreaterThan(0);
  });

  it('are shown: as views, whole in reports, and as squares in sheets', async () => {
    const views = await previewViews(base, streamed(many).set, 3);
    expect([views.data.length, views.names]).toEqual([6 * 8 * 8 * 3, [0, 0, 1, 1, 2, 2].map((i) => all.names[i])]);
    expect(await previewViews(base, many, 3)).toEqual(views);
    const [small, same] = [await thumbnails(many, [4, 1], 6), await thumbnails(streamed(many).set, [4, 1], 6)];
    expect([small.height, small.width, small.data.length]).toEqual([6, 6, 2 * 108]);
    expect(same).toEqual(small);
    expect(await picture(many, 3)).toEqual(await picture(streamed(many).set, 3));
  });
});

describe('a streamed set', () => {
  it('is divided and chosen from as one in memory', async () => {
    const { set } = streamed(all);
    const [want, got] = [splitHeldOut(all, 0.3, 5), splitHeldOut(set, 0.3, 5)];
    for (const part of ['train', 'heldOut'] as const) {
      const { data, ...about } = want[part];
      expect(got[part]).toMatchObject(about);
      expect(
        (
          await loadPictures(
            got[part],
            Uint32Array.from({ length: data.length / 867 }, (_, i) => i),
          )
        ).data,
      ).toEqual(data);
    }
    expect(await loadPictures(subset(subset(set, [5, 3, 9]), [2, 0]), [1])).toEqual(subset(all, [5]));
    expect(() => subset(set, [26])).toThrow('an index must lie in [0, 25]; got 26');
  });
});
