import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.js';
import { ReLU } from '../../src/nn/activations.js';
import { Linear, Sequential } from '../../src/nn/linear.js';
import { resnet } from '../../src/nn/resnet.js';
import { zeros } from '../../src/tensor/fill.js';
import { gpu, on } from '../support/devices.js';

describe('an error inside a model', () => {
  it('names the layer that threw', async () => {
    on(await gpu(), () => {
      const rng = new Rng(1);
      const head = new Sequential(new Linear(4, 8, { seed: rng }), new ReLU(), new Linear(9, 2, { seed: rng }));
      expect(() => head.call(zeros([3, 4]))).toThrow(/^2: Linear: x must be \[\.\., 9\]; got \[3, 8\]/);
    });
  });

  it('names it by its whole path', async () => {
    on(await gpu(), () => {
      const model = resnet('resnet-tiny', { stem: 'small', dim: 8 });
      const stages = model as unknown as Record<'layer1' | 'layer2', { conv1: unknown }[]>;
      stages.layer2[0].conv1 = stages.layer1[0].conv1;
      expect(() => model.call(zeros([1, 8, 8, 3]))).toThrow(/^layer2\.0\.bn1: batchNorm: /);
      expect(() => model.call(zeros([1, 8, 8, 4]))).toThrow(/^conv1: conv2d: x must have 3 channels/);
    });
  });

  it('leaves what is thrown outside of layers as it is', async () => {
    on(await gpu(), () =>
      expect(() => new Linear(4, 8, { seed: new Rng(1) }).call(zeros([3, 5]))).toThrow(/^Linear: x must be /),
    );
  });
});
