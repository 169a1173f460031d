import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, useBackend } from '../../src/backend/backend.js';
import { Rng } from '../../src/core/rng.js';
import { splitHeldOut } from '../../src/data/pictures.js';
import { syntheticPictures } from '../../src/data/synthetic.js';
import { featureSpread, firstLayer, SpikeDetector } from '../../src/eval/monitors.js';
import { demoConfig } from '../../src/moco/config.js';
import { vit } from '../../src/nn/vit.js';
import { Pretraining } from '../../src/train/pretrain.js';
import type { KnnRecord, SpreadRecord, StepRecord } from '../../src/train/records.js';
import { reference } from '../support/devices.js';

let before: Backend | undefined;
beforeAll(() => {
  before = useBackend(reference);
});
afterAll(() => void useBackend(before));

const of = (rows: number[][]) => ({ values: Float32Array.from(rows.flat()), count: rows.length, size: rows[0].length });

describe('featureSpread', () => {
  it('is 0 for features of one direction, near 1 for all directions, and does not see lengths', () => {
    expect(
      featureSpread(
        of([
          [1, 2, 2],
          [2, 4, 4],
          [10, 20, 20],
        ]),
      ),
    ).toBeCloseTo(0, 6);
    expect(
      featureSpread(
        of([
          [3, 0],
          [-1, 0],
          [0, 5],
          [0, -2],
        ]),
      ),
    ).toBeCloseTo(1, 6);
    const rng = new Rng(1, 'spread');
    expect(
      featureSpread(of(Array.from({ length: 500 }, () => Array.from({ length: 8 }, () => rng.normal())))),
    ).toBeCloseTo(1, 1);
    expect(
      featureSpread(
        of([
          [0, 0],
          [0, 0],
        ]),
      ),
    ).toBe(0);
  });
});

describe('SpikeDetector', () => {
  it('tells a norm above ten medians, once a spike, after twenty steps', () => {
    const d = new SpikeDetector();
    expect([1e9, ...Array.from({ length: 19 }, () => 1)].map((v) => d.add(v)).every((v) => v === undefined)).toBe(true);
    expect([9.9, 10.1, 50, 1, 11, NaN, 2].map((v) => d.add(v))).toEqual([
      undefined,
      1,
      undefined,
      undefined,
      1,
      undefined,
      undefined,
    ]);
    expect(d.add(NaN)).toBe(1);
  });
});

describe('Pretraining', () => {
  const config = { ...demoConfig, dim: 8, K: 16, epochs: 1, batch: 16, size: 8, lr: 0, knn: 5, knnEvery: 1 };
  const pictures = splitHeldOut(syntheticPictures({ count: 24, size: 16, seed: 3 }), 0.25, 3);

  it('measures the gradient of the first layer, and the spread of features without labels too', async () => {
    const bare = { train: { ...pictures.train, labels: undefined }, heldOut: pictures.heldOut };
    const run = new Pretraining(config, bare);
    const [steps, knn, spread, told]: [StepRecord[], KnnRecord[], SpreadRecord[], string[]] = [[], [], [], []];
    await run.run({
      onStep: (r) => steps.push(r),
      onKnn: (r) => knn.push(r),
      onSpread: (r) => spread.push(r),
      onWarning: (t) => told.push(t),
    });
    const grad = (await run.method.encoder.parameters().get('conv1.weight')!.grad!.data()) as Float32Array;
    expect(steps.map((s) => s.gradNorm! / Math.hypot(...grad))).toEqual([expect.closeTo(1, 6)]);
    expect(spread).toEqual([{ epoch: 1, featureSpread: featureSpread((await run.features()).train) }]);
    expect([knn, told]).toEqual([[], []]);
  });

  it('warns of features that are all the same', async () => {
    const run = new Pretraining(config, pictures);
    const weight = run.method.encoder.parameters().get('conv1.weight')!;
    weight.set(new Float32Array(weight.size));
    const told: string[] = [];
    await run.run({ onSpread: () => undefined, onWarning: (t) => told.push(t) });
    expect(told).toEqual([expect.stringMatching(/^epoch 1: features of all pictures are nearly the same .*collapsed/)]);
    expect(run.warnings).toContain(told[0]);
  });

  it('watches the first layer that is trained', () => {
    expect(firstLayer(vit('vit-tiny', { size: 8 })).name).toBe('blocks.0.attn.qkv');
    expect(firstLayer(vit('vit-tiny', { size: 8, stopGradConv1: false })).name).toBe('patch_embed.proj');
  });
});
