import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, useBackend } from '../../src/backend/backend.js';
import { loadPictures } from '../../src/data/load.js';
import { type Pictures, splitHeldOut, subset } from '../../src/data/pictures.js';
import type { PictureSource, StreamedPictures } from '../../src/data/source.js';
import { drawPictures } from '../../src/data/drawn.js';
import { loadCheckpoint, saveCheckpoint } from '../../src/moco/checkpoint.js';
import type { PretrainConfig } from '../../src/moco/config.js';
import { Pretraining, type StepRecord } from '../../src/moco/pretrain.js';
import { rawPixelAccuracy } from '../../src/moco/raw_pixels.js';
import { reference } from '../support/devices.js';
import { base, v3 } from '../support/short_run.js';

let before: Backend | undefined;
beforeAll(() => {
  before = useBackend(reference);
});
afterAll(() => void useBackend(before));

/** Pictures of 17 by 17, so that neither one of them nor a batch is a whole number of words. */
const all = drawPictures({ count: 26, size: 17, seed: 3 });

interface Counted {
  set: StreamedPictures;
  /** Calls of `load`: how many pictures each asked for. */
  asked: number[];
}

/** The same pictures as a stream. */
function streamed(p: Pictures, delay = 0): Counted {
  const asked: number[] = [];
  const { data: _, ...about } = p;
  const load = async (indices: ArrayLike<number>, signal?: AbortSignal) => {
    asked.push(indices.length);
    await new Promise((done) => setTimeout(done, delay));
    signal?.throwIfAborted();
    return subset(p, indices).data;
  };
  return { set: { ...about, load }, asked };
}

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
    await run.run({ signal: stop.signal, onStep: ({ step }) => most.push(asked.length - step), onEpoch: () => void seen++ });
    expect(seen).toBe(3);
    expect(Math.max(...most)).toBeLessThanOrEqual(ahead + 2); // `onStep` is told up to two steps late
    expect(asked.length).toBe(run.totalSteps);
    expect(asked.every((n) => n === base.batch)).toBe(true);
  });

  it('gives up what it began when it is stopped, and an error is thrown by the step that needs the picture', async () => {
    const { set } = streamed(all);
    const [signals, stop] = [[] as AbortSignal[], new AbortController()];
    const slow: StreamedPictures = { ...set, load: (indices, signal) => (signals.push(signal!), set.load(indices, signal)) };
    await start(slow, { epochs: 4 }).run({ signal: stop.signal, onStep: () => stop.abort() });
    expect(signals.at(-1)!.aborted).toBe(true);
    let calls = 0;
    const failing: StreamedPictures = { ...set, load: (indices) => (++calls === 3 ? Promise.reject(new Error('gone')) : set.load(indices)) };
    const run = start(failing, { epochs: 4 });
    await expect(run.run()).rejects.toThrow('gone');
    expect(run.position.step).toBe(2);
  });

  it('warns once where the device waits for pictures, and once of each damaged picture', async () => {
    const { set } = streamed(all, 150);
    const damaged: StreamedPictures = {
      ...set, skipped: [],
      load: (indices, signal) => (damaged.skipped.length === 0 && damaged.skipped.push({ name: 'x.jpg', reason: 'cut' }), set.load(indices, signal)),
    };
    const said: string[] = [];
    const run = start(damaged, {}, 0);
    await run.run({ onWarning: (text) => said.push(text) });
    expect(said).toEqual(run.warnings.slice(-2));
    expect(said.sort()).toEqual([expect.stringMatching(/^epoch 1: the device waited for pictures in \d\d % of the time\./), "x.jpg: it cannot be decoded ('cut'), so grey stands for it. Replace or remove it before the next run."]);
    const quick: string[] = [];
    await start(all).run({ onWarning: (text) => quick.push(text) });
    expect(quick).toEqual([]);
  });

  it('measures the same raw pixels, and leaves them out of sets too large for memory', async () => {
    const both = (source: PictureSource) => splitHeldOut(source, 0.3, 1);
    expect(await rawPixelAccuracy(both(streamed(all).set), base)).toBe(await rawPixelAccuracy(both(all), base));
    expect(await rawPixelAccuracy({ train: { ...streamed(all).set, count: 1e6 }, heldOut: all }, base)).toBeUndefined();
  });

  it('refuses an impossible number of steps ahead', () => {
    expect(() => start(all, {}, -1)).toThrow('ahead: it must be a whole number of steps in [0, 64]; got -1');
  });
});

describe('a streamed set', () => {
  it('is divided and chosen from as one in memory', async () => {
    const { set } = streamed(all);
    const [want, got] = [splitHeldOut(all, 0.3, 5), splitHeldOut(set, 0.3, 5)];
    for (const part of ['train', 'heldOut'] as const) {
      const { data, ...about } = want[part];
      expect(got[part]).toMatchObject(about);
      expect((await loadPictures(got[part], Uint32Array.from({ length: data.length / 867 }, (_, i) => i))).data).toEqual(data);
    }
    expect(await loadPictures(subset(subset(set, [5, 3, 9]), [2, 0]), [1])).toEqual(subset(all, [5]));
    expect(() => subset(set, [26])).toThrow('an index must lie in [0, 25]; got 26');
  });
});
