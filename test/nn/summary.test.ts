import { describe, expect, it } from 'vitest';
import { ShapesBackend } from '../../src/backend/shapes.js';
import { Rng } from '../../src/core/rng.js';
import { ReLU } from '../../src/nn/activations.js';
import { BatchNorm } from '../../src/nn/batch-norm.js';
import { Linear, Sequential } from '../../src/nn/linear.js';
import { Module } from '../../src/nn/module.js';
import { resnet } from '../../src/nn/resnet.js';
import { summary } from '../../src/nn/summary.js';
import { vit } from '../../src/nn/vit.js';
import { matmul } from '../../src/ops/matmul.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { gpu, on, reference } from '../support/devices.js';

const shapes = new ShapesBackend();

describe('summary', () => {
  // torchvision's weights list 1.814 and 4.089 GFLOPs (multiply-accumulates) and these parameter counts
  it.each([
    ['resnet18', 1.814, 11_689_512],
    ['resnet34', 3.664, 21_797_672],
    ['resnet50', 4.089, 25_557_032],
  ])('%s takes %f GMAC at 224 pixels and has %i parameters', (name, giga, parameters) => {
    const { macs, flops, output, layers, ...told } = summary(
      on(shapes, () => resnet(name, { dim: 1000 })),
      [1, 224, 224, 3],
    );
    expect(macs / 1e9).toBeCloseTo(giga, 3);
    expect([flops, output, told.parameters]).toEqual([2 * macs, [1, 1000], parameters]);
    expect(layers.reduce((n, l) => n + l.parameters, 0)).toBe(parameters);
    expect(layers.at(-1)).toMatchObject({ name: 'fc', kind: 'Linear', output: [1, 1000] });
  });

  // torchvision lists 17.564 for ViT-B/16, attention's products included
  it('ViT-B takes 17.56 GMAC at 224 pixels, each product of attention counted', () => {
    const told = summary(
      on(shapes, () => vit('vit-b', { dim: 1000 })),
      [1, 224, 224, 3],
    );
    expect(told.macs / 1e9).toBeCloseTo(17.564, 2);
    expect(told.layers.filter((l) => l.kind === 'attention')).toEqual(
      Array.from({ length: 12 }, (_, i) => ({
        name: `blocks.${i}.attn.attention`,
        kind: 'attention',
        output: [1, 197, 768],
        parameters: 0,
        flops: 4 * 197 * 197 * 768,
      })),
    );
  });

  it('grows with the batch and is what the model does', async () => {
    const model = on(reference, () => resnet('resnet-tiny', { stem: 'small', dim: 7 }));
    const [one, three] = [summary(model, [1, 20, 12, 3]), summary(model, [3, 20, 12, 3])];
    expect([three.flops, three.parameters, three.output]).toEqual([3 * one.flops, one.parameters, [3, 7]]);
    expect(one.layers.find((l) => l.name === 'layer1.0.conv1')).toEqual({
      name: 'layer1.0.conv1',
      kind: 'Conv2d',
      output: [1, 5, 3, 32],
      parameters: 32 * 9 * 32,
      flops: 2 * 5 * 3 * 32 * 9 * 32,
    });
  });

  it('computes nothing, allocates nothing and leaves the model as it was', async () => {
    const device = await gpu();
    const model = on(
      device,
      () => new Sequential(new Linear(5, 8, { seed: new Rng(1, 'summary') }), new BatchNorm(8), new ReLU()),
    );
    model.children()[1][1].train(false);
    const before = device.memory().inUse;
    summary(model, [4, 5]);
    expect(device.memory().inUse).toBe(before);
    expect(model.children().map(([, m]) => m.training)).toEqual([true, false, true]);
    expect((model.children()[1][1] as BatchNorm).numBatchesTracked.value).toBe(0);
  });

  it('names the layer that an input does not fit', () => {
    const model = on(
      shapes,
      () => new Sequential(new Linear(5, 8, { seed: new Rng(1, 'a') }), new Linear(9, 2, { seed: new Rng(1, 'b') })),
    );
    expect(() => summary(model, [4, 5])).toThrow(/^1: Linear: x must be \[\.\., 9\]/);
    expect(() => summary(model, [4, -5])).toThrow('summary: sizes must be whole numbers, at least 0');
  });

  it('counts what a module of several layers does itself, and shared layers once', () => {
    class Twice extends Module {
      readonly layer = new Linear(4, 4, { seed: new Rng(1, 'twice') });
      forward(x: Tensor): Tensor {
        const y = this.layer.call(this.layer.call(x));
        return matmul(y, y, { transposeB: true });
      }
    }
    const told = summary(
      on(shapes, () => new Twice()),
      [3, 4],
    );
    expect(told.layers).toEqual([
      { name: 'layer', kind: 'Linear', output: [3, 4], parameters: 20, flops: 2 * 2 * 3 * 4 * 4 },
      { name: 'matmul', kind: 'matmul', output: [3, 3], parameters: 0, flops: 2 * 3 * 3 * 4 },
    ]);
    expect(String(told)).toBe(`layer   kind    output  parameters  MFLOP
layer   Linear  [3, 4]          20   0.00
matmul  matmul  [3, 3]               0.00
[3, 4] -> [3, 3]: 20 parameters, 0.00 MFLOP (0.00 MMAC)`);
  });
});
