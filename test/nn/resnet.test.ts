import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { Rng } from '../../src/core/rng.js';
import { numel, type Shape } from '../../src/core/shape.js';
import { ResNet, type ResNetOptions, resnet } from '../../src/nn/resnet.js';
import { mul } from '../../src/ops/binary.js';
import { sum } from '../../src/ops/reduce.js';
import { backward, noGrad } from '../../src/tensor/autograd.js';
import { scalar } from '../../src/tensor/fill.js';
import { type Tensor, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference, reference64 } from '../support/devices.js';
import { assertClose } from '../support/op.js';

type Options = Parameters<typeof resnet>[1];
const build = (name: string, options: Options = {}, backend: Backend = reference): ResNet =>
  on(backend, () => resnet(name, options));

/** Number of parameters. */
const count = (model: ResNet) => [...model.parameters().values()].reduce((n, p) => n + p.size, 0);

/** PyTorch's view of a model: every name, with its shape in PyTorch's order. */
function shapes(model: ResNet): Map<string, Shape> {
  const named = new Map<string, Shape>();
  for (const e of model.entries()) {
    const s = 'tensor' in e ? e.tensor.shape : [];
    named.set(e.name, s.length === 4 ? [s[0], s[3], s[1], s[2]] : s);
  }
  return named;
}

/** Names and shapes as torchvision has them, from the description in the paper and nothing else. */
function torchvision(blocks: number[], bottleneck: boolean): Map<string, Shape> {
  const named = new Map<string, Shape>();
  const conv = (name: string, O: number, I: number, k: number) => named.set(`${name}.weight`, [O, I, k, k]);
  const bn = (name: string, C: number) => {
    for (const part of ['weight', 'bias', 'running_mean', 'running_var']) named.set(`${name}.${part}`, [C]);
    named.set(`${name}.num_batches_tracked`, []);
  };
  conv('conv1', 64, 3, 7);
  bn('bn1', 64);
  let inputs = 64;
  blocks.forEach((n, stage) => {
    const width = 64 * 2 ** stage;
    const outputs = bottleneck ? 4 * width : width;
    for (let i = 0; i < n; i++) {
      const at = `layer${stage + 1}.${i}`;
      const kernels: [number, number, number][] = bottleneck
        ? [
            [width, inputs, 1],
            [width, width, 3],
            [outputs, width, 1],
          ]
        : [
            [width, inputs, 3],
            [width, width, 3],
          ];
      kernels.forEach(([O, I, k], c) => {
        conv(`${at}.conv${c + 1}`, O, I, k);
        bn(`${at}.bn${c + 1}`, O);
      });
      if (i === 0 && (stage > 0 || inputs !== outputs)) {
        conv(`${at}.downsample.0`, outputs, inputs, 1);
        bn(`${at}.downsample.1`, outputs);
      }
      inputs = outputs;
    }
  });
  return named;
}

const moments = (values: ArrayLike<number>) => {
  const v = Array.from(values);
  const mean = v.reduce((a, b) => a + b, 0) / v.length;
  return {
    mean,
    std: Math.sqrt(v.reduce((a, b) => a + (b - mean) ** 2, 0) / v.length),
    most: v.reduce((a, b) => Math.max(a, Math.abs(b)), 0),
  };
};

describe('ResNet has torchvision’s tensors', () => {
  it.each<[string, number[], boolean, number, number]>([
    ['resnet18', [2, 2, 2, 2], false, 11_176_512, 120],
    ['resnet34', [3, 4, 6, 3], false, 21_284_672, 216],
    ['resnet50', [3, 4, 6, 3], true, 23_508_032, 318],
  ])('%s: names, shapes and counts', (name, blocks, bottleneck, parameters, tensors) => {
    const model = build(name, { head: 'none' });
    const got = shapes(model);
    expect(got.size).toBe(tensors);
    expect(count(model)).toBe(parameters);
    const want = torchvision(blocks, bottleneck);
    expect([...got].sort()).toEqual([...want].sort());
  });

  it('CIFAR’s ResNet-18: 3×3 stem, a linear head of 128, drawn as PyTorch draws them', async () => {
    const model = build('resnet18', { stem: 'cifar', dim: 128 });
    const got = shapes(model);
    expect(got.get('conv1.weight')).toEqual([64, 3, 3, 3]);
    expect(got.get('fc.weight')).toEqual([128, 512]);
    expect(got.get('fc.bias')).toEqual([128]);
    expect(count(model)).toBe(11_234_496);
    expect(count(model) - numel([128, 512]) - 128).toBe(11_168_832);
    expect(got.has('layer1.0.downsample.0.weight')).toBe(false);
    const p = model.parameters();
    for (const [name, t] of p) {
      const { mean, std, most } = moments(await t.data());
      const n = t.size;
      if (name.includes('bn') || name.includes('downsample.1'))
        expect([name, mean, std]).toEqual([name, name.endsWith('weight') ? 1 : 0, 0]);
      else if (name === 'conv1.weight' || name.startsWith('fc.')) {
        const bound = 1 / Math.sqrt(name === 'conv1.weight' ? 27 : 512); // PyTorch's default
        expect(most).toBeLessThanOrEqual(Math.fround(bound) * (1 + 1e-6));
        expect(most).toBeGreaterThan(bound * (1 - 20 / n)); // the largest of n is close to the bound
        expect(Math.abs(std / (bound / Math.sqrt(3)) - 1)).toBeLessThan(4 / Math.sqrt(n));
      } else {
        const [O, R, S] = t.shape;
        const want = Math.sqrt(2 / (O * R * S)); // Kaiming, fan out
        expect(Math.abs(std / want - 1), `std of ${name}`).toBeLessThan(4 / Math.sqrt(2 * n));
        expect(Math.abs(mean), `mean of ${name}`).toBeLessThan((4 * want) / Math.sqrt(n));
        expect(most).toBeGreaterThan(3 * want); // normal, not uniform
      }
    }
  });

  it('the mlp head of MoCo v2 is fc.0 and fc.2', () => {
    const got = shapes(build('resnet-tiny', { stem: 'small', head: 'mlp', dim: 24 }));
    expect([...got].filter(([name]) => name.startsWith('fc'))).toEqual([
      ['fc.0.weight', [64, 64]],
      ['fc.0.bias', [64]],
      ['fc.2.weight', [24, 64]],
      ['fc.2.bias', [24]],
    ]);
  });

  it('another seed draws other weights, the same seed the same, and names nothing it does not know', async () => {
    const [a, b, c] = await Promise.all([0, 0, 1].map((seed) => build('resnet-tiny', { seed }).conv1.weight.data()));
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
    expect(() => resnet('resnet19')).toThrow(
      "resnet: the name must be resnet18, resnet34, resnet50 or resnet-tiny; got 'resnet19'",
    );
  });
});

/** Sizes small enough to run a whole network by the mirrors. */
const small: ResNetOptions = { blocks: [1, 1], widths: [3, 5], head: 'linear', dim: 7 };

describe('ResNet runs', () => {
  it.each<[NonNullable<ResNetOptions['stem']>, number, number]>([
    ['imagenet', 4, 8],
    ['small', 4, 8],
    ['cifar', 1, 2],
  ])('the %s stem divides sides by %i, the network by %i', (stem, first, whole) => {
    on(reference, () => {
      const model = new ResNet({ ...small, stem });
      const x = tensor(new Float32Array(2 * 16 * 24 * 3).fill(0.5), [2, 16, 24, 3]);
      const seen: Shape[] = [];
      const stages = model as unknown as Record<string, { forward(x: Tensor): Tensor }[]>;
      for (const stage of ['layer1', 'layer2']) {
        const block = stages[stage][0];
        const forward = block.forward.bind(block);
        block.forward = (x) => {
          const y = forward(x);
          seen.push(y.shape);
          return y;
        };
      }
      expect(model.call(x).shape).toEqual([2, 7]);
      expect(model.embed(x).shape).toEqual([2, 5]);
      expect(model.features).toBe(5);
      expect(seen.slice(0, 2)).toEqual([
        [2, 16 / first, 24 / first, 3],
        [2, 16 / whole, 24 / whole, 5],
      ]);
    });
  });

  it.each<[string, ResNetOptions, number]>([
    [
      'basic blocks, mlp head, 2 splits',
      { blocks: [2, 1], widths: [4, 6], stem: 'small', head: 'mlp', dim: 5, splits: 2 },
      16,
    ],
    [
      'bottlenecks, imagenet stem',
      { blocks: [1, 1], widths: [2, 3], bottleneck: true, stem: 'imagenet', head: 'linear', dim: 5 },
      16,
    ],
    ['cifar stem, no head', { blocks: [1, 2], widths: [3, 4], stem: 'cifar', head: 'none' }, 5],
  ])('%s: output, statistics and every gradient on the GPU equal the mirror’s in f64', async (_, options, side) => {
    const device = await gpu();
    const run = async (backend: Backend) => {
      const read = on(backend, () => {
        const model = new ResNet({ ...options, seed: 4 });
        const rng = new Rng(4, 'pictures');
        const x = tensor(
          Float32Array.from({ length: 4 * side * side * 3 }, () => rng.normal()),
          [4, side, side, 3],
        );
        return tidy(() => {
          const y = model.call(x);
          const w = tensor(
            Float32Array.from({ length: y.size }, () => rng.normal()),
            y.shape,
          );
          backward(sum(mul(y, w)));
          const named: [string, Tensor][] = [['output', y]];
          for (const [name, p] of model.parameters()) named.push([`d ${name}`, p.grad!]);
          for (const e of model.entries())
            if ('tensor' in e && e.name.includes('running')) named.push([e.name, e.tensor]);
          return named.map(async ([name, t]) => [name, await t.data()] as const);
        });
      });
      return new Map(await Promise.all(read));
    };
    const [got, want] = [await run(device), await run(reference64)];
    expect([...got.keys()]).toEqual([...want.keys()]);
    let most = 0;
    for (const [name, values] of want) {
      expect(
        Array.from(values).some((v) => v !== 0),
        `${name} is not all zeros`,
      ).toBe(true);
      assertClose(name, got.get(name)!, values, { relative: 5e-5, absolute: 1e-5 });
      const scale = moments(values).most;
      most = Math.max(most, ...Array.from(values, (v, i) => Math.abs(v - got.get(name)![i]) / scale));
    }
    console.log(`ResNet, seed 4: largest relative error ${most.toExponential(1)} in ${want.size} tensors`);
  });

  it('evaluates with the running statistics, and changes nothing', async () => {
    const device = await gpu();
    const pictures = (seed: number, n: number) => {
      const rng = new Rng(seed, 'x');
      return tensor(
        Float32Array.from({ length: n * 8 * 8 * 3 }, () => rng.normal()),
        [n, 8, 8, 3],
      );
    };
    const model = on(device, () => new ResNet({ ...small, stem: 'small', seed: 2 }));
    on(device, () => tidy(() => noGrad(() => void model.call(pictures(1, 4)))));
    model.eval();
    const state = async () =>
      Promise.all(
        [...model.entries()].map(async (e) =>
          'tensor' in e ? [e.name, ...(await e.tensor.data())] : [e.name, e.counter.value],
        ),
      );
    const before = await state();
    expect(before.find(([name]) => name === 'bn1.num_batches_tracked')).toEqual(['bn1.num_batches_tracked', 1]);
    const one = await on(device, () => tidy(() => noGrad(() => model.call(pictures(2, 1))).data()));
    const rng = new Rng(2, 'x');
    const first = Float32Array.from({ length: 192 }, () => rng.normal());
    const five = await on(device, () =>
      tidy(() => noGrad(() => model.call(tensor([...first, ...new Array(4 * 192).fill(9)], [5, 8, 8, 3]))).data()),
    );
    assertClose('a picture alone and in a batch', five.subarray(0, 7), one, { relative: 1e-5 });
    expect(await state()).toEqual(before);
    expect(model.train().training).toBe(true);
  });

  it('load takes every tensor and counter, also between backends, and refuses another model', async () => {
    const device = await gpu();
    const from = on(device, () => new ResNet({ ...small, seed: 3 }));
    for (const e of from.entries()) if ('counter' in e) e.counter.value = 17;
    const to = on(reference, () => new ResNet({ ...small, seed: 8 }));
    await to.load(from.state());
    const target = new Map([...to.entries()].map((e) => [e.name, e]));
    for (const e of from.entries()) {
      const t = target.get(e.name)!;
      if ('tensor' in e && 'tensor' in t) expect(await t.tensor.data()).toEqual(await e.tensor.data());
      else expect(t).toEqual(e);
    }
    const [wider, deeper] = on(reference, () => [
      new ResNet({ ...small, dim: 6 }),
      new ResNet({ ...small, head: 'mlp' }),
    ]);
    await expect(wider.load(from.state())).rejects.toThrow('load: fc.weight must have shape [6, 5]; got [7, 5]');
    await expect(deeper.load(from.state())).rejects.toThrow(
      "load: the state must hold just the model's tensors; got missing fc.0.weight, fc.0.bias, fc.2.weight, " +
        'fc.2.bias, unexpected fc.weight, fc.bias.',
    );
    const counter = 'bn1.num_batches_tracked';
    const half = on(reference, () => new Map([...from.state(), [counter, scalar(1.5)]]));
    await expect(to.load(half)).rejects.toThrow(`load: ${counter} must be a whole number, at least 0; got 1.5.`);
    await deeper.load(from.state(), { strict: false });
    expect(await deeper.conv1.weight.data()).toEqual(await to.conv1.weight.data());
  });
});
