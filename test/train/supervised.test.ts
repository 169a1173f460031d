import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, useBackend } from '../../src/backend/backend.js';
import { buildClassifier } from '../../src/checkpoints/classifier.js';
import { moduleTensors } from '../../src/checkpoints/module-state.js';
import { Rng } from '../../src/core/rng.js';
import { mean, roughness, spread, variance } from '../../src/core/statistics.js';
import type { Pictures } from '../../src/data/picture-source.js';
import { splitHeldOut } from '../../src/data/pictures.js';
import { syntheticPictures } from '../../src/data/synthetic.js';
import { SKIPPED } from '../../src/eval/monitors.js';
import { presetOf } from '../../src/moco/presets.js';
import { resnet } from '../../src/nn/resnet.js';
import { vit } from '../../src/nn/vit.js';
import { Pretraining } from '../../src/train/pretrain.js';
import { type SupervisedConfig, supervisedRecipe, trainClassifier } from '../../src/train/supervised.js';
import { gpu, reference } from '../support/devices.js';

let before: Backend | undefined;
beforeAll(async () => {
  before = useBackend(await gpu());
});
afterAll(() => void useBackend(before));

const SIDE = 16;

/** Noise around one of three colours, by class. */
function coloured(count: number): Pictures {
  const data = new Uint8Array(count * SIDE * SIDE * 3);
  for (let i = 0; i < count; i++) {
    const rng = new Rng(9, 'coloured', i);
    for (let at = 0; at < SIDE * SIDE * 3; at++)
      data[i * SIDE * SIDE * 3 + at] = rng.uniform(0, 150) + (at % 3 === i % 3 ? 100 : 0);
  }
  const labels = Uint32Array.from({ length: count }, (_, i) => i % 3);
  return {
    data,
    count,
    height: SIDE,
    width: SIDE,
    labels,
    classes: ['red', 'green', 'blue'],
    names: Array.from(labels, String),
    skipped: [],
  };
}

/** The first pictures of a set. */
const take = (set: Pictures, count: number): Pictures => ({
  ...set,
  count,
  data: set.data.slice(0, count * SIDE * SIDE * 3),
  labels: set.labels!.slice(0, count),
  names: set.names.slice(0, count),
});

const sets = splitHeldOut(coloured(75), 0.4, 2);
const configOf = (model: string, changed: Partial<SupervisedConfig> = {}): SupervisedConfig => ({
  ...supervisedRecipe(model),
  epochs: 4,
  batch: 9,
  warmup: 1,
  size: SIDE,
  cropMin: 0.5,
  mean: [0.5, 0.5, 0.5],
  std: [0.25, 0.25, 0.25],
  seed: 3,
  ...changed,
});
const classifier = (model: string) => buildClassifier(model, { classes: 3, stem: 'small', size: SIDE, seed: 3 });

describe('trainClassifier', () => {
  it.each(['resnet-tiny', 'vit-mini'])('%s learns an easy task, the same way for the same seed', async (model) => {
    const config = configOf(model, { lr: model === 'vit-mini' ? 3e-3 : 0.05 });
    const records = await trainClassifier(await classifier(model), sets, config);
    expect(records.map((r) => r.epoch)).toEqual([1, 2, 3, 4]);
    expect(records.at(-1)!.accuracy).toBeGreaterThan(0.9);
    expect(records.at(-1)!.loss).toBeLessThan(0.5 * records[0].loss);
    const stop = new AbortController();
    const again = await trainClassifier(await classifier(model), sets, config, {
      signal: stop.signal,
      onEpoch: (r) => r.epoch === 2 && stop.abort(),
    });
    expect(again).toEqual(records.slice(0, 2));
  });

  /** 8 steps, one an epoch, losses from 1.3 to 0.6. Largest difference seen: 9e-4, of the mirror's halves. */
  const BAND = 0.01;
  const few = { train: take(sets.train, 9), heldOut: take(sets.heldOut, 3) };
  const curve = async (on: Backend, precision: 'f32' | 'f16') => {
    const [outer, warnings] = [useBackend(on), [] as string[]];
    try {
      const records = await trainClassifier(
        await classifier('resnet-tiny'),
        few,
        configOf('resnet-tiny', { epochs: 8, lr: 0.01, precision }),
        { onWarning: (text) => warnings.push(text) },
      );
      return { records, losses: records.map((r) => r.loss), warnings };
    } finally {
      useBackend(outer);
    }
  };

  it(
    `in f16 has the losses of f32 within ${BAND}: on an adapter with halves, else by the mirror's, ` +
      `and the adapter says that it has none`,
    async () => {
      const device = await gpu();
      const f32 = await curve(device, 'f32');
      const f16 = await curve(device.f16 ? device : reference, 'f16');
      expect(f16.warnings).toEqual([]);
      f16.losses.forEach((loss, i) =>
        expect(Math.abs(loss - f32.losses[i]), `step ${i + 1}: ${loss}, in f32 ${f32.losses[i]}`).toBeLessThan(BAND),
      );
      expect(f16.records.at(-1)).toMatchObject({ skipped: 0, lossScale: 65536 });
      expect(f32.records[0]).not.toHaveProperty('lossScale');
      if (device.f16) return;
      const asked = await curve(device, 'f16');
      expect(asked.warnings).toEqual([
        expect.stringContaining(
          `precision: ${device.name} has no halves (WebGPU's shader-f16): all is stored and computed in f32`,
        ),
      ]);
      expect(asked.losses).toEqual(f32.losses); // a scale by powers of two changes no digit
    },
  );

  it('in f16, changes nothing where every step overflows, and says so', async () => {
    const model = await classifier('resnet-tiny');
    const conv = model.parameters().get('conv1.weight')!;
    conv.set((await conv.data()).map((v) => v * 1e30));
    const tensors = async () =>
      [...(await moduleTensors(model))].filter(([name]) => !name.endsWith('num_batches_tracked'));
    const [before, warnings] = [await tensors(), [] as string[]];
    const records = await trainClassifier(
      model,
      few,
      configOf('resnet-tiny', { epochs: SKIPPED + 1, precision: 'f16' }),
      { onWarning: (text) => warnings.push(text) },
    );
    expect(await tensors()).toEqual(before);
    expect(records.at(-1)).toMatchObject({ loss: NaN, skipped: SKIPPED + 1, lossScale: 2 ** (16 - SKIPPED - 1) });
    expect(
      warnings.filter((w) =>
        w.startsWith(`step ${SKIPPED}: the gradients of ${SKIPPED} steps in a row were not finite`),
      ),
    ).toHaveLength(1);
  });

  it.each<[string, Partial<SupervisedConfig>, Partial<Pictures>, string]>([
    [
      'a precision that is none',
      { precision: 'bf16' as 'f16' },
      {},
      "precision: it must be f32, f32-exact or f16; got 'bf16'",
    ],
    ['no classes', {}, { labels: undefined }, 'classifier: pictures must have classes; got none'],
    ['too large a batch', { batch: 46 }, {}, 'at most the 45 pictures to train on; got 46'],
    ['no epochs', { epochs: 0 }, {}, 'epochs: it must be a whole number above 0; got 0'],
    ['a warm-up without end', { warmup: 4 }, {}, 'warmup: it must end before the last epoch; got 4 of 4'],
  ])('refuses %s', async (_, changed, train, sentence) => {
    await expect(
      trainClassifier(
        await classifier('resnet-tiny'),
        { ...sets, train: { ...sets.train, ...train } },
        configOf('resnet-tiny', changed),
      ),
    ).rejects.toThrow(sentence);
  });
});

describe('buildClassifier', () => {
  it('takes every tensor of an encoder but its head, and trains the patch projection too', async () => {
    const encoders = {
      'resnet-tiny': resnet('resnet-tiny', { stem: 'small', head: 'mlp', dim: 5, seed: 8 }),
      'vit-mini': vit('vit-mini', { size: SIDE, head: 'mlp', dim: 5, seed: 8 }),
    };
    for (const [name, encoder] of Object.entries(encoders)) {
      const tensors = await moduleTensors(encoder);
      const model = await buildClassifier(name, { classes: 3, stem: 'small', size: SIDE, seed: 3 }, tensors);
      const [got, scratch] = [await moduleTensors(model), await moduleTensors(await classifier(name))];
      for (const [key, t] of got)
        expect([key, t]).toEqual([key, (/^(fc|head)/.test(key) ? scratch : tensors).get(key)]);
      expect(got.get(name === 'vit-mini' ? 'head.weight' : 'fc.weight')!.shape).toEqual([3, 64]);
      if (name === 'vit-mini') expect([...model.parameters().keys()]).toContain('patch_embed.proj.weight');
    }
  });

  it('refuses an encoder of another model', async () => {
    await expect(
      buildClassifier(
        'resnet-tiny',
        { classes: 3, stem: 'small', size: SIDE, seed: 3 },
        await moduleTensors(vit('vit-mini', { size: SIDE })),
        'a.safetensors',
      ),
    ).rejects.toThrow('a.safetensors: it must hold every tensor');
  });
});

describe('MoCo v3 with a vision transformer', () => {
  it('has a loss that falls', async () => {
    const config = {
      ...presetOf('v3-vit-demo'),
      size: SIDE,
      epochs: 4,
      warmup: 0,
      lr: 3e-3,
      cropMin: 0.9,
      hidden: 64,
      dim: 32,
      batch: 16,
      lrBatch: 16,
    };
    const training = new Pretraining(config, splitHeldOut(syntheticPictures({ count: 96, size: SIDE, seed: 4 }), 0, 4));
    const losses: number[] = [];
    await training.run({ onStep: (s) => losses.push(s.loss) });
    expect(mean(losses.slice(-6))).toBeLessThan(mean(losses.slice(0, 6)) - 0.05);
  });
});

describe('statistics', () => {
  it('of hand-computed values', () => {
    expect(mean([1, 2, 6])).toBe(3);
    expect(variance([1, 2, 6])).toBeCloseTo(14 / 3, 12);
    expect(spread([1, 2, 6])).toBeCloseTo(Math.sqrt(7), 12);
    expect(spread([4])).toBe(0);
  });

  it('roughness is the variance of the changes', () => {
    expect(roughness([0.25, 0.5, 0.75, 1])).toBe(0); // a straight rise
    expect(roughness([0, 1, 0, 1])).toBeCloseTo(8 / 9, 12); // changes 1, -1, 1 around 1/3
    expect(roughness([0.2, 0.4, 0.3, 0.5, 0.5])).toBeCloseTo(
      (0.125 ** 2 + 0.175 ** 2 + 0.125 ** 2 + 0.075 ** 2) / 4,
      12,
    ); // around 0.075
    expect(roughness([0.3, 0.9])).toBe(0);
  });
});
