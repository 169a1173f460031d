import { describe, expect, it } from 'vitest';
import { buildClassifier } from '../../src/checkpoints/classifier.js';
import { buildEncoder, encoderOf, type Said } from '../../src/checkpoints/encoder.js';
import { ConfigError, FormatError } from '../../src/core/errors.js';
import type { StoredTensor } from '../../src/io/safetensors.js';
import { positionValues } from '../../src/nn/position-embedding.js';
import type { ResNetOptions } from '../../src/nn/resnet.js';
import type { VisionTransformerOptions } from '../../src/nn/vit.js';
import { on, reference } from '../support/devices.js';
import { floats, networkOf } from '../support/networks.js';

type Tensors = Map<string, StoredTensor>;

const basic: ResNetOptions = { blocks: [1, 1], widths: [4, 6], stem: 'imagenet', head: 'linear', dim: 3 };
const deep: ResNetOptions = { blocks: [1, 1], widths: [4, 6], bottleneck: true, stem: 'imagenet', head: 'none' };
const vit: VisionTransformerOptions = { width: 64, depth: 2, heads: 1, patch: 4, size: 8 };

const add =
  (...names: [string, ...number[]][]) =>
  (t: Tensors) =>
    names.forEach(([name, ...shape]) => t.set(name, floats(shape)));
const take =
  (...names: (string | RegExp)[]) =>
  (t: Tensors) =>
    [...t.keys()].forEach(
      (key) => names.some((n) => (typeof n === 'string' ? n === key : n.test(key))) && t.delete(key),
    );
const rename = (from: RegExp, to: string) => (t: Tensors) =>
  [...t].forEach(([name, tensor]) => (t.delete(name), t.set(name.replace(from, to), tensor)));
const both =
  (...changes: ((t: Tensors) => void)[]) =>
  (t: Tensors) =>
    changes.forEach((change) => change(t));

const open = (tensors: Tensors, said: Said = {}, file = 'x.pth') => encoderOf({ tensors, metadata: {} }, file, said);
const changed = (options: ResNetOptions | VisionTransformerOptions, change: (t: Tensors) => void) => {
  const tensors = networkOf(options);
  change(tensors);
  return tensors;
};

describe('a network that only looks like one of ours is refused by the names of its tensors', () => {
  it.each<[string, ResNetOptions | VisionTransformerOptions, (t: Tensors) => void, RegExp]>([
    [
      'squeeze and excitation',
      basic,
      add(['layer1.0.se.fc1.weight', 2, 4, 1, 1]),
      /every tensor of its encoder must be used; got layer1\.0\.se\.fc1\.weight \[2, 4, 1, 1\]/,
    ],
    ['biases of convolutions', basic, add(['conv1.bias', 4]), /got conv1\.bias \[4\]/],
    [
      'anti-aliased pools',
      basic,
      add(['layer2.0.downsample.0.filt', 6, 1, 3, 3]),
      /got layer2\.0\.downsample\.0\.filt/,
    ],
    [
      'instance and batch norm',
      basic,
      both(rename(/layer1\.0\.bn1\./, 'layer1.0.bn1.BN.')),
      /none named layer1\.0\.bn1\.weight/,
    ],
    ['group norm', basic, take(/running_/), /none named bn1\.running_mean/],
    [
      'pooled shortcuts',
      deep,
      rename(/downsample\.1\./, 'downsample.2.'),
      /none named layer1\.0\.downsample\.1\.weight/,
    ],
    [
      'a shortcut where none is',
      basic,
      add(['layer1.0.downsample.0.weight', 4, 4, 1, 1]),
      /got layer1\.0\.downsample\.0\.weight/,
    ],
    [
      'groups',
      deep,
      add(['layer1.0.conv2.weight', 4, 1, 3, 3]),
      /layer1\.0\.conv2\.weight must be F32 \[4, 4, 3, 3\]; got F32 \[4, 1, 3, 3\]/,
    ],
    [
      'wide bottlenecks',
      deep,
      both(add(['layer1.0.conv1.weight', 8, 4, 1, 1])),
      /conv1\.weight must be|bn1\.weight must be/,
    ],
    [
      'a stem of three convolutions',
      deep,
      rename(/^conv1\.weight/, 'conv1.0.weight'),
      /layer1\.0\.conv1\.weight without conv1\.weight/,
    ],
    [
      'a stem of 5×5',
      basic,
      add(['conv1.weight', 4, 3, 5, 5]),
      /conv1\.weight must be F32 \[4, 3, 3, 3\]; got F32 \[4, 3, 5, 5\]/,
    ],
    [
      'LayerScale of timm',
      vit,
      add(['blocks.0.ls1.gamma', 64], ['blocks.1.ls2.gamma', 64]),
      /got blocks\.0\.ls1\.gamma \[64\], blocks\.1\.ls2\.gamma \[64\]/,
    ],
    ['LayerScale of BEiT', vit, add(['blocks.0.gamma_1', 64]), /got blocks\.0\.gamma_1 \[64\]/],
    ['norms of queries and keys', vit, add(['blocks.0.attn.q_norm.weight', 64]), /got blocks\.0\.attn\.q_norm\.weight/],
    ['a norm before the blocks', vit, add(['norm_pre.weight', 64]), /got norm_pre\.weight/],
    ['a norm after the pool', vit, both(rename(/^norm\./, 'fc_norm.')), /none named norm\.weight/],
    ['both norms', vit, add(['fc_norm.weight', 64]), /got fc_norm\.weight/],
    ['registers', vit, add(['reg_token', 1, 4, 64]), /got reg_token \[1, 4, 64\]/],
    ['a distillation token', vit, add(['dist_token', 1, 1, 64], ['pos_embed', 1, 6, 64]), /dist_token \[1, 1, 64\]/],
    [
      'relative positions',
      vit,
      add(['blocks.0.attn.relative_position_bias_table', 9, 1]),
      /got blocks\.0\.attn\.relative_position_bias_table/,
    ],
    ['a norm of patches', vit, add(['patch_embed.norm.weight', 64]), /got patch_embed\.norm\.weight/],
    ['no class token', vit, take('cls_token'), /a class token.*got 2 blocks/],
    [
      'positions without the class token',
      vit,
      add(['pos_embed', 1, 4, 64]),
      /got 2 blocks and .*pos_embed \[1, 4, 64\]/,
    ],
    ['no positions', vit, take('pos_embed'), /got 2 blocks/],
    [
      'gated layers',
      vit,
      both(take(/mlp\.fc1/), add(['blocks.0.mlp.w12.weight', 340, 64])),
      /none named blocks\.0\.mlp\.fc1\.weight/,
    ],
    [
      'narrow layers',
      vit,
      add(['blocks.0.mlp.fc1.weight', 192, 64]),
      /mlp\.fc1\.weight must be F32 \[256, 64\]; got F32 \[192, 64\]/,
    ],
    ['queries without biases', vit, take(/qkv\.bias/), /none named blocks\.0\.attn\.qkv\.bias/],
    [
      'a block that is cut off',
      vit,
      take(/blocks\.1\.attn\.qkv/),
      /every tensor of its encoder must be used; got blocks\.1\./,
    ],
  ])('%s', (_, options, change, says) => {
    expect(() => open(changed(options, change))).toThrow(says);
    expect(() => open(changed(options, change))).toThrow(FormatError);
  });

  it('and so behind any prefix, in any company', () => {
    const tensors = changed(vit, add(['blocks.0.ls1.gamma', 64]));
    const all = new Map(
      [...tensors].flatMap(([name, t]): [string, StoredTensor][] => [
        [`module.base_encoder.${name}`, t],
        [`module.momentum_encoder.${name}`, t],
      ]),
    );
    expect(() => open(all)).toThrow(/got blocks\.0\.ls1\.gamma/);
  });
});

describe('what belongs to no encoder', () => {
  it('may be left over, and is told', () => {
    const heads = add(
      ['fc.2.weight', 3, 6],
      ['projector.0.weight', 4, 6],
      ['predictor.0.weight', 4, 6],
      ['projection_head.0.weight', 4, 6],
      ['queue', 8, 16],
      ['optimizer.velocity.conv1.weight', 4, 3, 7, 7],
      ['layer1.0.total_ops', 1],
    );
    const { taken, notes, tensors } = open(changed(basic, heads));
    expect([taken, notes]).toEqual([
      'x.pth: it is taken as a ResNet; not used: fc, projector, predictor, projection_head, queue, optimizer.',
      [],
    ]);
    expect([...tensors.keys()].filter((name) => /queue|optimizer|total/.test(name))).toEqual([]);
  });

  it('so are the copies of an encoder, and types that are not read', () => {
    const all = new Map(
      ['encoder_q.', 'encoder_k.'].flatMap((prefix) =>
        [...networkOf(deep)].map(([name, t]): [string, StoredTensor] => [prefix + name, t]),
      ),
    );
    const { taken, notes, prefix } = encoderOf(
      {
        tensors: all,
        metadata: {},
        skipped: new Map([
          ['encoder_q.fc.weight', 'torch.QInt8Storage'],
          ['extra', 'mine.Class'],
        ]),
      },
      'x.pth',
    );
    expect([prefix, taken, ...notes]).toEqual([
      'encoder_q.',
      'x.pth: encoder_q is taken as a ResNet; not used: encoder_k.',
      'x.pth: not read: encoder_q.fc.weight (torch.QInt8Storage), extra (mine.Class).',
    ]);
    const skipped = new Map([['encoder_q.conv1.weight', 'torch.QInt8Storage']]);
    expect(() => encoderOf({ tensors: all, metadata: {}, skipped }, 'x.pth')).toThrow(
      /conv1\.weight must be of floats; got torch\.QInt8Storage, which is not read/,
    );
  });

  it('nothing is told of a file that a run wrote, but what it leaves open', () => {
    const { taken, notes } = encoderOf({ tensors: networkOf(basic), metadata: { step: '3' } }, 'x');
    expect([taken, notes]).toEqual([undefined, []]);
  });
});

describe('what a file leaves open', () => {
  const small = (width: number): VisionTransformerOptions => ({ width, depth: 1, heads: 1, patch: 16, size: 32 });
  const fixed = (width: number) => (t: Tensors) =>
    void t.set('pos_embed', { dtype: 'F32', shape: [1, 5, width], data: positionValues(2, 2, width) });
  const headsOf = (tensors: Tensors, said: Said = {}) => {
    const { architecture, notes } = open(tensors, said);
    return ['heads' in architecture && architecture.heads, notes.filter((n) => n.includes('attention heads'))];
  };

  it.each([
    [384, 12],
    [768, 12],
    [192, 12],
    [64, 4],
  ])('heads of width %i are %i at the positions of MoCo v3', (width, heads) => {
    expect(headsOf(changed(small(width), fixed(width)))).toEqual([
      heads,
      [expect.stringContaining(`assumed: ${heads} attention heads, which no file tells: its positions are MoCo v3's`)],
    ]);
  });

  it.each([
    [384, 6],
    [192, 3],
    [256, 4],
    [1152, 16],
  ])('heads of width %i are %i at others', (width, heads) => {
    expect(headsOf(networkOf(small(width)))).toEqual([
      heads,
      [expect.stringContaining(`assumed: ${heads} attention heads`)],
    ]);
  });

  it('positions saved as halves are known too, and what is said is not assumed', () => {
    const tensors = changed(small(384), fixed(384));
    const halves = tensors.get('pos_embed')!.data as Float32Array;
    for (let i = 0; i < halves.length; i++) halves[i] = Math.round(halves[i] * 2048) / 2048;
    expect(headsOf(tensors)[0]).toBe(12);
    expect(headsOf(tensors, { heads: 8 })).toEqual([8, []]);
    expect(() => open(tensors, { heads: 7 })).toThrow(/heads must divide the width, 384; got 7/);
    expect(() => open(tensors, { heads: 0 })).toThrow(ConfigError);
  });

  it('a stem of 3×3 is told; one that the file contradicts is refused with both', () => {
    const cifar = networkOf({ ...deep, stem: 'cifar' });
    expect(open(cifar).notes.at(-1)).toMatch(/assumed: a stem of 3×3 with stride 1/);
    expect(open(cifar, { stem: 'small' })).toMatchObject({ architecture: { stem: 'small' }, notes: [] });
    expect(() => open(cifar, { stem: 'imagenet' })).toThrow(
      /one of 3×3, as conv1\.weight is: cifar or small; got imagenet/,
    );
    expect(() => open(networkOf(basic), { stem: 'cifar' })).toThrow(
      /one of 7×7, as conv1\.weight is: imagenet; got cifar/,
    );
    expect(() => open(networkOf({ ...basic, stem: 'small' }), { stem: 'cifar' })).toThrow(
      /got layer1\.0\.downsample\.0\.weight/,
    );
  });

  it('a size that is not the position embedding’s, and a model that is not the file’s, are refused with both', () => {
    expect(() => open(networkOf(vit), { size: 16 })).toThrow(
      /--size: it must be that of the position embedding in x\.pth, 8 \(4 patches of 4\); got 16/,
    );
    expect(open(networkOf(vit), { size: 8 }).normalisation.size).toBe(8);
    expect(() => open(networkOf(vit), { model: 'vit-s' })).toThrow(
      /x\.pth: it must hold a vit-s, as is said of it; got another network/,
    );
  });
});

describe('values that are not finite', () => {
  const broken = (name: string, ...values: number[]) =>
    changed(basic, (t) => (t.get(name)!.data as Float32Array).set(values));

  it('are told by the first tensor and their count', () => {
    expect(open(broken('layer1.0.bn1.weight', NaN, Infinity)).warnings).toEqual([
      'x.pth: values must be finite; got 2 that are not, in layer1.0.bn1.weight.',
    ]);
    expect(open(networkOf(basic)).warnings).toEqual([]);
  });

  it('make an encoder unusable, unless they are in its head', async () => {
    const build = (tensors: Tensors) => on(reference, () => buildEncoder(open(tensors), 'x.pth'));
    await expect((async () => build(broken('bn1.bias', -Infinity)))()).rejects.toThrow(
      /x\.pth: values must be finite; got 1 that is not, in bn1\.bias\. Nothing can be computed/,
    );
    expect((await build(broken('fc.weight', NaN))).features).toBe(6);
    const classifier = on(reference, () =>
      buildClassifier('resnet-tiny', { classes: 2, size: 32 }, broken('bn1.bias', NaN), 'x.pth'),
    );
    await expect(classifier).rejects.toThrow(/got 1 that is not, in bn1\.bias/);
  });
});
