import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { Rng } from '../../src/core/rng.js';
import { numel, type Shape } from '../../src/core/shape.js';
import { Linear } from '../../src/nn/linear.js';
import { positionEmbedding } from '../../src/nn/position-embedding.js';
import { VisionTransformer, type VisionTransformerOptions, vit } from '../../src/nn/vit.js';
import { mul } from '../../src/ops/binary.js';
import { crossEntropy } from '../../src/ops/cross_entropy.js';
import { sum } from '../../src/ops/reduce.js';
import { FlatParameters } from '../../src/optim/flat.js';
import { SGD } from '../../src/optim/sgd.js';
import { backward } from '../../src/tensor/autograd.js';
import { type Tensor, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference, reference64 } from '../support/devices.js';
import { assertClose } from '../support/op.js';

/** Names and shapes in PyTorch's order. */
function shapes(model: VisionTransformer): Map<string, Shape> {
  const named = new Map<string, Shape>();
  for (const e of model.entries()) {
    const s = 'tensor' in e ? e.tensor.shape : [];
    named.set(e.name, s.length === 4 ? [s[0], s[3], s[1], s[2]] : s);
  }
  return named;
}

/** timm's names and shapes of a vision transformer of `D` channels, from their description and nothing else. */
function timm(D: number, depth: number, patch: number, tokens: number): Map<string, Shape> {
  const named = new Map<string, Shape>([
    ['cls_token', [1, 1, D]],
    ['pos_embed', [1, tokens, D]],
    ['patch_embed.proj.weight', [D, 3, patch, patch]],
    ['patch_embed.proj.bias', [D]],
  ]);
  const pair = (name: string, weight: Shape) => named.set(`${name}.weight`, weight).set(`${name}.bias`, [weight[0]]);
  for (let i = 0; i < depth; i++) {
    pair(`blocks.${i}.norm1`, [D]);
    pair(`blocks.${i}.attn.qkv`, [3 * D, D]);
    pair(`blocks.${i}.attn.proj`, [D, D]);
    pair(`blocks.${i}.norm2`, [D]);
    pair(`blocks.${i}.mlp.fc1`, [4 * D, D]);
    pair(`blocks.${i}.mlp.fc2`, [D, 4 * D]);
  }
  return pair('norm', [D]);
}

const total = (named: Map<string, Shape>) => [...named.values()].reduce((n, s) => n + numel(s), 0);
const read = async (t: Tensor) => Array.from(await t.data());
const most = async (t: Tensor) => (await read(t)).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
const build = (name: string, options: Partial<VisionTransformerOptions>, backend: Backend = reference) =>
  on(backend, () => vit(name, options));
const pictures = (seed: number, shape: Shape) => {
  const rng = new Rng(seed, 'pictures');
  return tensor(
    Float32Array.from({ length: numel(shape) }, () => rng.normal()),
    shape,
  );
};

describe('the vision transformer is MoCo v3’s', () => {
  it('position embedding: golden values', async () => {
    const values = await read(on(reference, () => positionEmbedding(14, 14, 384)));
    const at = (token: number, channel: number) => values[token * 384 + channel];
    expect(values.length).toBe(197 * 384);
    expect([at(2, 0), at(2, 192), at(2, 193), at(2, 288)].map((v) => +v.toFixed(7))).toEqual([
      0, 0.841471, 0.7885931, 0.5403023,
    ]);
    expect([at(15, 0), at(15, 96), at(15, 192)].map((v) => +v.toFixed(7))).toEqual([0.841471, 0.5403023, 0]);
    expect(values.slice(0, 384).every((v) => v === 0)).toBe(true);
    expect(values.reduce((a, b) => a + b, 0)).toBeCloseTo(34713.824, 2);
  });

  it('names and shapes are timm’s; S has 21,665,664 values and B 85,798,656, in 150 tensors', () => {
    expect([...shapes(build('vit-s', { depth: 2, head: 'none' }))].sort()).toEqual([...timm(384, 2, 16, 197)].sort());
    expect([...shapes(build('vit-b', { depth: 1, head: 'none' }))].sort()).toEqual([...timm(768, 1, 16, 197)].sort());
    expect([timm(384, 12, 16, 197), timm(768, 12, 16, 197)].map((m) => [m.size, total(m)])).toEqual([
      [150, 21_665_664],
      [150, 85_798_656],
    ]);
    expect([...shapes(build('vit-tiny', { head: 'none' }))].sort()).toEqual([...timm(64, 4, 4, 65)].sort());
  });

  it('initial values: bounds of each part, and what is fixed', async () => {
    const model = build('vit-s', { depth: 1 });
    const [block, patch] = [model.blocks[0], model.patchEmbed.proj as Linear];
    const bounds: [Tensor, number][] = [
      [patch.weight, 0.0721688],
      [block.attn.qkv.weight, 0.0883883],
      [block.attn.proj.weight, 0.0883883],
      [block.mlp.fc1.weight, Math.sqrt(6 / 1920)],
      [block.mlp.fc2.weight, Math.sqrt(6 / 1920)],
    ];
    for (const [t, bound] of bounds) {
      expect(await most(t)).toBeLessThan(bound + 1e-6);
      expect(await most(t)).toBeGreaterThan(0.9999 * bound - 1e-6);
    }
    for (const t of [patch.bias, block.attn.qkv.bias, block.mlp.fc1.bias, model.norm.bias])
      expect(await most(t!)).toBe(0);
    const cls = await read(model.clsToken);
    expect(Math.sqrt(cls.reduce((a, b) => a + b * b, 0) / 384) / 1e-6).toBeCloseTo(1, 0);
    const trained = [...model.parameters().keys()];
    expect([...shapes(model).keys()].filter((name) => !trained.includes(name))).toEqual([
      'pos_embed',
      'patch_embed.proj.weight',
      'patch_embed.proj.bias',
    ]);
    expect(build('vit-tiny', { stopGradConv1: false }).parameters().has('patch_embed.proj.weight')).toBe(true);
    const wide = build('vit-b', { depth: 0 }).patchEmbed.proj as Linear;
    expect(await most(wide.weight)).toBeCloseTo(0.0625, 4);
  });

  it('the conv stem is four 3×3 and a 1×1 convolution in place of a block', () => {
    const got = shapes(build('vit-conv-ti', { depth: 1 }));
    const stem = [...got].filter(([name]) => /proj\.\d+\.(weight|bias)$/.test(name) && name.startsWith('patch'));
    const conv = [0, 3, 6, 9].flatMap((at, i): [string, Shape][] => {
      const [inputs, outputs] = [i === 0 ? 3 : 12 * 2 ** i, 24 * 2 ** i];
      return [
        [`patch_embed.proj.${at}.weight`, [outputs, inputs, 3, 3]],
        [`patch_embed.proj.${at + 1}.weight`, [outputs]],
        [`patch_embed.proj.${at + 1}.bias`, [outputs]],
      ];
    });
    expect(stem).toEqual([
      ...conv,
      ['patch_embed.proj.12.weight', [192, 192, 1, 1]],
      ['patch_embed.proj.12.bias', [192]],
    ]);
    expect(got.get('patch_embed.proj.10.num_batches_tracked')).toEqual([]);
  });

  it('heads: linear, mlp, none, or one’s own', () => {
    const heads = (head: VisionTransformerOptions['head']) =>
      [...shapes(build('vit-tiny', { depth: 0, head, dim: 24 }))].filter(([name]) => name.startsWith('head'));
    expect(heads('linear')).toEqual([
      ['head.weight', [24, 64]],
      ['head.bias', [24]],
    ]);
    expect(heads('mlp').map(([name]) => name)).toEqual([
      'head.0.weight',
      'head.0.bias',
      'head.2.weight',
      'head.2.bias',
    ]);
    expect(heads('none')).toEqual([]);
    expect(heads((rng, features) => on(reference, () => new Linear(features, 7, { bias: false, seed: rng })))).toEqual([
      ['head.weight', [7, 64]],
    ]);
  });

  it('says what does not fit', () => {
    expect(() => vit('vit-x')).toThrow('vit: the name must be vit-ti, vit-s, vit-b, vit-conv-ti');
    expect(() => vit('vit-tiny', { patch: 5 })).toThrow(
      'vit: patches must tile the picture; got size 32 and patches of 5',
    );
    on(reference, () =>
      expect(() => vit('vit-tiny', { depth: 0 }).embed(tensor(new Float32Array(27), [1, 3, 3, 3]))).toThrow(
        'vit: pictures must be [N, 32, 32, 3]; got [1, 3, 3, 3]',
      ),
    );
  });
});

describe('the vision transformer runs', () => {
  const small: VisionTransformerOptions = { width: 12, depth: 2, heads: 3, patch: 4, size: 12, dim: 5, seed: 4 };

  it.each<[string, Partial<VisionTransformerOptions>]>([
    ['fixed patches', {}],
    ['trained patches, mlp head', { stopGradConv1: false, head: 'mlp' }],
    ['conv stem', { stem: 'conv' }],
  ])('%s: output and every gradient on the GPU equal the mirror’s in f64', async (_, options) => {
    const evaluate = async (backend: Backend) => {
      const values = on(backend, () => {
        const model = new VisionTransformer({ ...small, ...options });
        return tidy(() => {
          const y = model.call(pictures(1, [3, 12, 12, 3]));
          backward(sum(mul(y, pictures(2, y.shape))));
          const named: [string, Tensor][] = [
            ['output', y],
            ...[...model.parameters()].map(([name, p]): [string, Tensor] => [name, p.grad!]),
          ];
          return named.map(async ([name, t]) => [name, await t.data()] as const);
        });
      });
      return new Map(await Promise.all(values));
    };
    const [got, want] = [await evaluate(await gpu()), await evaluate(reference64)];
    for (const [name, values] of want) assertClose(name, got.get(name)!, values, { relative: 5e-5, absolute: 1e-5 });
  });

  it('load carries what is fixed too', async () => {
    const from = on(await gpu(), () => new VisionTransformer({ ...small, seed: 8 }));
    const to = on(reference, () => new VisionTransformer(small));
    await to.load(from.state());
    expect(await read((to.patchEmbed.proj as Linear).weight)).toEqual(
      await read((from.patchEmbed.proj as Linear).weight),
    );
  });

  it('learns to tell two sorts of pictures apart', async () => {
    const losses = await on(await gpu(), async () => {
      const model = new VisionTransformer({ ...small, dim: 2 });
      const optimizer = new SGD(new FlatParameters(model), { momentum: 0.9, weightDecay: 0 });
      const rng = new Rng(5, 'pictures');
      const x = tensor(
        Float32Array.from({ length: 8 * 432 }, (_, i) => 0.5 * rng.normal() + (Math.floor(i / 432) % 2 ? 1 : -1)),
        [8, 12, 12, 3],
      ); // bright and dark
      const labels = tensor([0, 1, 0, 1, 0, 1, 0, 1], [8], 'u32');
      const lr = tensor([0.02]);
      const train = () =>
        tidy(() => {
          const loss = crossEntropy(model.call(x), labels);
          backward(loss);
          optimizer.step(lr);
          return loss.item();
        });
      return Promise.all(Array.from({ length: 16 }, train));
    });
    expect(losses[15]).toBeLessThan(0.3 * losses[0]);
  });
});
