import { describe, expect, it } from 'vitest';
import { gpu, reference } from '../support/devices.js';
import { withPlayedF32 } from '../support/matrices.js';
import { type Chosen, compare, type Items } from './golden.js';
import { features } from './networks.js';
import { moco } from './training.js';

const only =
  (part: RegExp): Chosen =>
  (item) =>
    part.test(item) ? (values) => values : undefined;

/**
 * Gradients of these ResNets are ill-conditioned: a half's rounding moves values across the kinks of ReLU, so single
 * elements are off by half of the largest, and tensors are compared as a whole.
 */
function compareResnet(items: Items): void {
  compare('features/rn18_small', items, { error: 5e-3 }, only(/\/y$/)); // 1.5e-3 by the mirrors, 1.7e-3 on lavapipe
  compare('features/rn18_small', items, { error: 3e-3 }, only(/\/after\//)); // 8.6e-4, 6.2e-4
  compare('features/rn18_small', items, { rms: 0.5, norm: 0.1 }, only(/\/grad\//)); // rms 0.17, 0.20; norm 0.040, 0.038
}

/** Losses, then encoders and queue, then what optimizers keep. */
const compareMoco = (name: string, items: Items, bands: readonly number[]) =>
  [/\/loss\//, /\/end\/(?!optimizer)/, /\/optimizer\./].forEach((part, i) =>
    compare(`moco/${name}`, items, { error: bands[i] }, only(part)),
  );

describe("in f16 networks stay near PyTorch's double precision", () => {
  it('a ResNet by the mirrors', async () =>
    compareResnet(await features(reference, 'rn18_small', { precision: 'f16' })));

  it('a ViT by the mirrors', async () => {
    // 1.5e-3
    compare('features/vit_mini', await features(reference, 'vit_mini', { precision: 'f16' }), { error: 5e-3 });
  });

  it('a ViT on the GPU, in f32 where it has no halves', async () => {
    // 2.4e-3 on lavapipe
    compare('features/vit_mini', await features(await gpu(), 'vit_mini', { precision: 'f16' }), { error: 1e-2 });
  });

  it("steps of MoCo v2 on a GPU that has halves; on others, where f16 is f32, by f32's bands", async () => {
    const device = await gpu();
    const items = await moco(device, 'moco_v2', 'f16');
    expect(items.size).toBe(94);
    // 2.6e-5, 1.9e-3, 0.063 on lavapipe; f32: 7.7e-8, 3.4e-7, 1.4e-6
    const bands = device.f16 ? [1e-4, 6e-3, 0.2] : [1e-6, 1e-6, 5e-6];
    compareMoco('moco_v2', items, bands);
  });
});

/** How far every item of two runs is apart: the largest difference over the largest value. */
const apart = (a: Items, b: Items): number[] =>
  [...a].map(([name, values]) => {
    const [v, w] = [Array.from(values), Array.from(b.get(name)!)];
    return Math.max(...v.map((x, i) => Math.abs(x - w[i]))) / Math.max(...v.map(Math.abs), Number.MIN_VALUE);
  });

describe('f32 on tensor cores, which threads play, trains as f32-exact does', () => {
  // 1.3e-6 apart on SwiftShader
  it("MoCo v1: losses, queue, parameters and momentum are PyTorch's within f32's bands", async () => {
    const device = withPlayedF32(await gpu());
    const [f32, exact] = [await moco(device, 'moco_v1', 'f32'), await moco(device, 'moco_v1', 'f32-exact')];
    compareMoco('moco_v1', f32, [1e-6, 1e-6, 5e-6]);
    const differences = apart(f32, exact);
    expect(Math.max(...differences)).toBeLessThan(5e-6);
    expect(differences.filter((d) => d > 0).length).toBeGreaterThan(differences.length / 2);
  });
});
