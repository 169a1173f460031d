import { describe, expect, it } from 'vitest';
import { gpu, reference } from '../support/devices.js';
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
    [/\/loss\//, /\/end\/(?!optimizer)/, /\/optimizer\./].forEach((part, i) =>
      compare('moco/moco_v2', items, { error: bands[i] }, only(part)),
    );
  });
});
