import { describe, it } from 'vitest';
import { patience } from '../../scripts/speed.mjs';
import { gpu, reference64 } from '../support/devices.js';
import { compare, type Distance } from './golden.js';
import { features } from './networks.js';

/**
 * torchvision's ResNets and timm's ViT in double precision. The file holds f32, so that 6e-8 is as near as can be.
 * Measured beside each band: the largest error of any item, features, running statistics and every gradient.
 */
const small: [name: string, band: number][] = [
  ['rn18_small', 1e-5], // 3.1e-6 on SwiftShader
  ['rn50_small', 2e-5], // 6.3e-6
  ['vit_mini', 5e-6], // 1.3e-6
];

/**
 * Networks of full size. On a software adapter, where gradients would take half a minute and more each, forward only.
 */
const full: { name: string; bands: Partial<Distance> }[] = [
  { name: 'rn18', bands: { error: 2e-5 } }, // 5.0e-6
  { name: 'rn50', bands: { rms: 0.1, norm: 2e-3 } }, // 0.028 and 8.8e-5, gradients included
  { name: 'vit_s', bands: { error: 1e-5 } }, // 1.9e-6
];

describe("networks give PyTorch's features, running statistics and gradients", () => {
  it.each(small)('%s on the GPU', async (name, error) => {
    compare(`features/${name}`, await features(await gpu(), name), { error });
  });

  it.each(small)('%s on the reference backend in f64', async (name) => {
    compare(`features/${name}`, await features(reference64, name), { error: 1e-7 }); // 5.5e-8
  });

  it.each(full)(
    '$name on the GPU',
    async ({ name, bands }) => {
      const device = await gpu();
      const all = !device.gpu.traits.software;
      const items = await features(device, name, { gradients: all });
      compare(`features/${name}`, items, bands, (item) => (all || !item.includes('/grad/') ? (v) => v : undefined));
    },
    patience(120_000),
  );
});
