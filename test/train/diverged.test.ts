import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Backend, useBackend } from '../../src/backend/backend.js';
import { saveCheckpoint } from '../../src/checkpoints/checkpoint.js';
import { buildClassifier } from '../../src/checkpoints/classifier.js';
import { DivergedError } from '../../src/core/errors.js';
import { LEAST_SCALE } from '../../src/ops/loss_scale.js';
import { noCache } from '../../src/studies/cache.js';
import { fourWay, standing } from '../../src/studies/four-way.js';
import { fourWayText } from '../../src/studies/four-way-report.js';
import { mechanisms } from '../../src/studies/mechanisms.js';
import { mechanismsReport, mechanismsText } from '../../src/studies/mechanisms-report.js';
import { divergedAt, notFinite } from '../../src/train/diverged.js';
import { openEncoder } from '../../src/train/encoder.node.js';
import { better, EpochMeans } from '../../src/train/epoch.js';
import { findRun, openRun, startRun } from '../../src/train/open-run.node.js';
import { Pretraining } from '../../src/train/pretrain.js';
import type { EpochRecord, StepRecord } from '../../src/train/records.js';
import type { Run } from '../../src/train/run.node.js';
import { trainClassifier } from '../../src/train/supervised.js';
import { reference } from '../support/devices.js';
import { base, pictures } from '../support/short_run.js';

let before: Backend | undefined;
const folder = mkdtempSync(join(tmpdir(), 'dawngrad-diverged-'));
beforeAll(() => {
  before = useBackend(reference);
});
afterAll(() => {
  useBackend(before);
  rmSync(folder, { recursive: true });
});

const spoil = (training: Pretraining, value = NaN) => {
  const weight = training.method.optimizer.parameters.named.get('conv1.weight')!;
  weight.set(new Float32Array(weight.size).fill(value));
};
const bare = { train: { ...pictures.train, labels: undefined }, heldOut: pictures.heldOut };
const info = { adapter: '', command: '', data: 'synthetic', choice: {}, config: base };
const begin = (name: string): Promise<Run> => startRun(join(folder, name), info);

describe('a pretraining whose loss is not finite', () => {
  it('stops at that step, whose record is the last, with what to do', async () => {
    const training = new Pretraining(base, pictures);
    const steps: StepRecord[] = [];
    const ended = training.run({ onStep: (s) => void (steps.push(s), s.step === 1 && spoil(training)) });
    await expect(ended).rejects.toThrow(
      new RegExp(
        /^pretrain: loss, gradients and parameters must stay finite/.source +
          /; got a loss of NaN in step (\d) \(learning rate 0\.\d+, T 0\.\d, f32\)\./.source +
          / Training has diverged.*lower --lr.*raise --T/.source,
      ),
    );
    await expect(ended).rejects.toMatchObject({ name: 'DivergedError', exitCode: 5 });
    expect(steps.slice(0, -1).every((s) => Number.isFinite(s.loss))).toBe(true);
    expect([steps.at(-1)!.loss, steps.at(-1)!.contrastTop1]).toEqual([NaN, 0]);
  });

  it('stops at the end of the epoch where the last step made parameters that are too large', async () => {
    const told: EpochRecord[] = [];
    const training = new Pretraining({ ...base, lr: 1e30 }, pictures);
    await expect(training.run({ onEpoch: (_, epoch) => void told.push(epoch) })).rejects.toThrow(/step 2 /);
    expect(told).toEqual([]);
  });

  it('is one that f16 skips all steps of, once the loss scale cannot fall', () => {
    expect(notFinite({ loss: NaN, norm: NaN, layer: 'conv1', inRow: 39, lossScale: 2 * LEAST_SCALE })).toBeUndefined();
    expect(notFinite({ loss: NaN, norm: NaN, layer: 'conv1', inRow: 40, lossScale: LEAST_SCALE })).toContain(
      '40 steps in a row',
    );
    expect(notFinite({ loss: 1, norm: 0, layer: 'conv1', inRow: 0, lossScale: LEAST_SCALE })).toBeUndefined();
    expect(notFinite({ loss: 1, norm: Infinity, layer: 'conv1' })).toBe('a gradient of conv1 of length Infinity');
    expect(divergedAt('x', 3, 'y', { lr: 1, precision: 'f16' }).message).toContain('use --precision f32');
  });
});

describe('checkpoints of a run', () => {
  it('a state that is not finite is never written, and the files stay as they were', async () => {
    const run = await begin('kept');
    const training = new Pretraining(base, pictures);
    await run.save(training, { step: 0 }, { by: 'knn', value: 0.5 });
    const files = () =>
      readdirSync(run.folder)
        .sort()
        .map((name) => [name, readFileSync(run.file(name), 'latin1')]);
    const good = files();
    const names = good.map(([name]) => name);
    expect(names).toEqual(['best.safetensors', 'checkpoint.safetensors', 'config.json', 'run.lock']);
    spoil(training, Infinity);
    await expect(run.save(training, { step: 2 }, { by: 'knn', value: 0.9 })).rejects.toThrow(DivergedError);
    await expect(saveCheckpoint(training.method, {})).rejects.toThrow(
      /got 1 of \d+ that are not, encoder_q\.conv1\.weight among them/,
    );
    expect(files()).toEqual(good);
    expect(await run.savedStep()).toBe(0);
  });

  it('best is the one with the highest k-NN, else the lowest loss; of equals the earlier one', () => {
    const [knn, loss] = [
      (value: number) => ({ by: 'knn' as const, value }),
      (value: number) => ({ by: 'loss' as const, value }),
    ];
    expect([
      better(knn(0.1), undefined),
      better(knn(0.6), knn(0.5)),
      better(knn(0.5), knn(0.5)),
      better(knn(0.4), knn(0.5)),
    ]).toEqual([true, true, false, false]);
    expect([
      better(loss(4), loss(5)),
      better(loss(5), loss(5)),
      better(loss(1), knn(0.1)),
      better(knn(0.1), loss(1)),
    ]).toEqual([true, false, false, true]);
  });

  it('are named by the run and by /best, and a run goes on from either', async () => {
    const run = await begin('two');
    await expect(async () => openRun(join(run.folder, 'best')).checkpoint).rejects.toThrow(
      /best\.safetensors: .*got none yet/,
    );
    const training = new Pretraining({ ...base, knnEvery: 1 }, pictures);
    const scores: (number | undefined)[] = [];
    await training.run({
      onStep: (s) => run.log(s),
      onKnn: (r) => run.log(r),
      onEpoch: async (position, { epoch, score }) => {
        expect(score!.by).toBe('knn');
        scores.push(epoch);
        await run.save(training, position, { by: 'knn', value: 1 / epoch }); // the first is the best
      },
    });
    expect(scores).toEqual([1, 2]);
    const resumed = async (path: string) => {
      const again = new Pretraining({ ...base, knnEvery: 1 }, pictures);
      await openRun(path).resume(again);
      return again.position.step;
    };
    const encoders = await Promise.all(
      ['', 'best', 'best.safetensors', 'last', 'checkpoint.safetensors'].map(async (name) =>
        Buffer.from((await openEncoder(join(run.folder, name))).tensors.get('conv1.weight')!.data.buffer),
      ),
    );
    expect(encoders.map((e) => encoders.findIndex((other) => other.equals(e)))).toEqual([0, 1, 1, 0, 0]);
    expect((await openEncoder(join(run.folder, 'best'))).normalisation.size).toBe(base.size);
    expect(await resumed(run.folder)).toBe(4);
    expect(await resumed(join(run.folder, 'best'))).toBe(2);
    // it is the last one from now on
    expect([await run.savedStep(), [...run.metrics()].filter((m) => 'loss' in m).length]).toEqual([2, 2]);
    expect(findRun(join(folder, 'nowhere'))).toBeUndefined();
    writeFileSync(join(folder, 'best.safetensors'), '');
    expect(findRun(join(folder, 'best.safetensors'))).toBeUndefined(); // of no run
  });

  it('best goes by the loss without classes, once the queue is full and an epoch is whole', async () => {
    const epochs: EpochRecord[] = [];
    await new Pretraining({ ...base, epochs: 3, K: 20 }, bare).run({ onEpoch: (_, epoch) => void epochs.push(epoch) });
    expect(epochs.map((e) => e.score)).toEqual(
      [undefined, { by: 'loss', value: epochs[1].loss }, { by: 'loss', value: epochs[2].loss }].map((s, i) =>
        i === 1 ? expect.toSatisfy((v) => v === undefined || v.by === 'loss') : s,
      ),
    );
  });

  it('means of an epoch leave out what f16 skipped and nothing else, and go on where a run was saved', () => {
    const step = (loss: number, gradNorm?: number): StepRecord => ({
      step: 1,
      epoch: 1,
      loss,
      contrastTop1: 0.5,
      contrastTop5: 1,
      lr: 1,
      m: 1,
      lossScale: 8,
      skipped: 0,
      gradNorm,
    });
    const means = new EpochMeans();
    for (const s of [step(1, 1), step(NaN), step(3, 1)]) means.add(s);
    expect(means.end(1)).toMatchObject({ loss: 2, contrastTop1: 0.5 });
    for (const s of [step(1, 1), step(NaN, 1)]) means.add(s);
    expect(means.end(2).loss).toBeNaN();
    expect(means.end(3).loss).toBeNaN();
  });
});

describe('a supervised training and experiments', () => {
  const sets = { train: pictures.train, heldOut: pictures.heldOut };
  const small = { epochs: 2, batch: 8, size: 8, cropMin: 0.5, seeds: 2, seed: 1 };

  it('trainClassifier stops', async () => {
    const { mean, std, seed, size } = base;
    const { seeds: _, ...about } = small;
    const model = await buildClassifier('resnet-tiny', { classes: 4, stem: 'small', size, seed });
    const config = {
      optimizer: 'sgd' as const,
      lr: 1e35,
      momentum: 0.9,
      weightDecay: 0,
      warmup: 0,
      ...about,
      mean,
      std,
      size,
    };
    await expect(trainClassifier(model, sets, config)).rejects.toMatchObject({
      exitCode: 5,
      message: expect.stringMatching(/^classifier: .* in step \d /),
    });
  });

  it('mechanisms tells which diverged, goes on, and averages nothing around it', async () => {
    const told: string[] = [];
    const result = await mechanisms(
      sets,
      { base: { ...base, epochs: 1, lr: 1e30 }, Ks: [8], momenta: [0.9], endToEndLimit: 8, seeds: 2 },
      noCache,
      (text) => told.push(text),
    );
    expect([...result.overK, ...result.overM].filter((r) => r.diverged)).toHaveLength(8);
    expect(told.filter((t) => /Training has diverged/.test(t))).toHaveLength(8);
    const again = JSON.parse(JSON.stringify(result)) as typeof result; // as it is kept
    for (const r of [result, again]) {
      expect(mechanismsText(r)).toMatch(/\n +8 +diverged +diverged +diverged\n[^]*\n +0\.9 +diverged +– \(/);
      expect(
        mechanismsReport(r, { command: '', adapter: '', version: '', seed: 1, config: {}, pictures: '' }),
      ).not.toMatch(/(<td[^>]*>|=")[^<"]*(NaN|±)/);
    }
  });

  it('four-way stands by what diverged: no accuracy, no spread', () => {
    const curve = (accuracy: number) => [1, 2].map((epoch) => ({ epoch, loss: 1, accuracy }));
    const lost = [
      { epoch: 1, loss: 1, accuracy: 0.5 },
      { epoch: 2, loss: NaN, accuracy: NaN },
    ];
    const contenders = ['scratch', 'MoCo v2'].map((start, i) => ({
      model: 'resnet-tiny',
      start,
      seeds: [1, 2],
      curves: [curve(0.5), i === 0 ? lost : curve(0.7)],
    }));
    const text = fourWayText(
      {
        contenders,
        pretrained: [
          {
            model: 'resnet-tiny',
            method: 'MoCo v2',
            epochs: 1,
            pictures: 4,
            loss: 1,
            chance: 1,
            knnBefore: 0.5,
            knn: 0.5,
            k: 1,
          },
        ],
      },
      sets,
    );
    expect(text).toMatch(/resnet-tiny from scratch +– +– +–\n +resnet-tiny from MoCo v2 +60\.0 % ± 14\.1/);
    expect(text).toMatch(/a training diverged[^]*resnet-tiny from scratch diverged with seed 2/);
    expect(standing(contenders[0])).toMatchObject({ accuracy: NaN, best: NaN, roughness: NaN });
  });

  it('four-way says which pretraining diverged', async () => {
    const config = { resnet: 'resnet-tiny', vit: 'vit-tiny', pretrainEpochs: 1, ...small };
    const run = vi.spyOn(Pretraining.prototype, 'run').mockRejectedValue(new DivergedError('lost'));
    const ended = fourWay(sets, config, noCache, () => undefined);
    await expect(ended)
      .rejects.toThrow(new DivergedError('pretraining of resnet-tiny by MoCo v2, which the others start from: lost'))
      .finally(() => run.mockRestore());
  });
});
