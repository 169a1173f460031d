import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodersIn, placeOfEncoder, plainNames } from '../../src/checkpoints/tensor-names.js';
import { ConfigError, FormatError } from '../../src/core/errors.js';
import { resnets } from '../../src/nn/resnet-family.js';
import { sizesOf } from '../support/networks.js';

const resnet = sizesOf({ blocks: [1, 2], widths: [4, 6], stem: 'cifar', head: 'linear', dim: 3 });
const vit = sizesOf({ width: 64, depth: 1, heads: 1, patch: 4, size: 8 });
const behind = (prefix: string, tensors = resnet) => new Map([...tensors].map(([name, t]) => [prefix + name, t]));
const namesOf = (tensors: ReadonlyMap<string, unknown>) => [...tensors.keys()];

describe('plain names', () => {
  it('lose what wrappers put in, in any order, number and place', () => {
    const wrappers = fc
      .array(fc.constantFrom('module.', '_orig_mod.', '_fsdp_wrapped_module.'), { maxLength: 4 })
      .map((list) => list.join(''));
    fc.assert(
      fc.property(wrappers, wrappers, (before, inside) => {
        expect(namesOf(plainNames(behind(`${before}encoder_q.${inside}`), 'x'))).toEqual(namesOf(behind('encoder_q.')));
        expect(plainNames(plainNames(behind(before + inside), 'x'), 'x')).toEqual(resnet);
      }),
    );
  });

  const places: Record<string, [from: string, numbers: Record<string, number>, to: string]> = {
    'the CIFAR demonstration': ['encoder_q.net.', { conv1: 0, bn1: 1, layer1: 3, layer2: 4, fc: 9 }, 'encoder_q.'],
    "the children of torchvision's": ['backbone.', { conv1: 0, bn1: 1, layer1: 4, layer2: 5, fc: 8 }, 'backbone.'],
    'a Sequential without a name': ['', { conv1: 0, bn1: 1, layer1: 2, layer2: 3, fc: 5 }, ''],
  };
  it.each(Object.entries(places))('number the children of %s', (_, [from, numbers, to]) => {
    const numbered = new Map(
      [...resnet].map(([name, t]) => [from + name.replace(/^\w+/, (child) => String(numbers[child])), t]),
    );
    expect(plainNames(numbered, 'x')).toEqual(behind(to));
  });

  it('leave numbers that are of something else, or cannot be told', () => {
    const others = [
      'features.0.weight',
      'encoder_q.0.layer1.0.conv1.weight',
      '7.0.conv1.weight',
      '99999999999.0.conv1.weight',
    ];
    const tensors = new Map(others.map((name) => [name, { shape: [4, 4, 3, 3] }]));
    expect(namesOf(plainNames(tensors, 'x'))).toEqual(others);
  });

  it('are of one tensor each', () => {
    const twice = new Map([
      ['module.a', { shape: [1] }],
      ['a', { shape: [2] }],
    ]);
    expect(() => plainNames(twice, 'x.pth')).toThrow(/x\.pth: tensors must have names of their own; got a twice/);
  });
});

describe('the encoder of a file', () => {
  it.each<[string[], string]>([
    [[''], ''],
    [['encoder_q.', 'encoder_k.'], 'encoder_q.'],
    [['momentum_encoder.', 'base_encoder.'], 'base_encoder.'],
    [['student.backbone.', 'teacher.backbone.'], 'student.backbone.'],
    [['model.backbone.', 'model.backbone_momentum.'], 'model.backbone.'],
    [['', 'model_ema.'], ''],
    [['online_network.', 'target_network.'], 'online_network.'],
    [['encoder_k.'], 'encoder_k.'],
    [['any.thing.'], 'any.thing.'],
  ])('behind %j is %j', (prefixes, want) => {
    for (const network of [resnet, vit]) {
      const all = new Map(prefixes.flatMap((prefix) => [...behind(prefix, network)]));
      expect(
        encodersIn(all)
          .map((p) => p.prefix)
          .sort(),
      ).toEqual([...prefixes].sort());
      expect(placeOfEncoder(all, 'x').prefix).toBe(want);
      for (const prefix of prefixes) expect(placeOfEncoder(all, 'x', prefix).prefix).toBe(prefix);
    }
  });

  it('is asked for where no word tells, and must be there', () => {
    const all = new Map(['a.', 'b.'].flatMap((prefix) => [...behind(prefix)]));
    expect(() => placeOfEncoder(all, 'x.pth')).toThrow(
      /one encoder must be meant; got 2, behind a\., b\.\. Say which: --prefix a\./,
    );
    expect(placeOfEncoder(all, 'x.pth', 'b')).toEqual({ family: resnets, prefix: 'b.' });
    expect(() => placeOfEncoder(all, 'x.pth', 'c.')).toThrow(ConfigError);
    expect(() => placeOfEncoder(all, 'x.pth', 'c.')).toThrow(
      /--prefix: an encoder of x\.pth must be behind it; got c\., and encoders in a\., b\./,
    );
  });

  it('is refused with what was seen, where there is none', () => {
    const deep = new Map(
      [...behind('backbone.')].map(([name, t]) => [name.replace(/backbone\.conv1/, 'backbone.stem.0'), t]),
    );
    expect(() => placeOfEncoder(deep, 'x.pth')).toThrow(FormatError);
    expect(() => placeOfEncoder(deep, 'x.pth')).toThrow(
      new RegExp(
        /x\.pth: it must hold a ResNet.*/.source +
          /got 50 tensors: backbone\.stem\.0\.weight \[4, 3, 3, 3\], .*/.source +
          /backbone\.layer1\.0\.conv1\.weight without backbone\.conv1\.weight/.source,
      ),
    );
    expect(() => placeOfEncoder(new Map(), 'x.pth')).toThrow(/got no tensors/);
  });
});
