import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, useBackend } from '../../src/backend/backend.js';
import { saveCheckpoint } from '../../src/checkpoints/checkpoint.js';
import { buildEncoder, encoderOf } from '../../src/checkpoints/encoder.js';
import { moduleTensors } from '../../src/checkpoints/module-state.js';
import { FormatError } from '../../src/core/errors.js';
import { splitHeldOut } from '../../src/data/pictures.js';
import { syntheticPictures } from '../../src/data/synthetic.js';
import { embedPictures } from '../../src/eval/embed.js';
import { decodeSafetensors } from '../../src/io/safetensors.js';
import { demoConfig, type PretrainConfig } from '../../src/moco/config.js';
import { VisionTransformer, vit } from '../../src/nn/vit.js';
import { state, tensor } from '../../src/tensor/tensor.js';
import { Pretraining } from '../../src/train/pretrain.js';
import { reference } from '../support/devices.js';

const pictures = splitHeldOut(syntheticPictures({ count: 48, size: 16, seed: 3 }), 0.25, 3);
const config: PretrainConfig = {
  ...demoConfig,
  dim: 8,
  hidden: 12,
  K: 20,
  epochs: 1,
  batch: 16,
  splits: 1,
  size: 8,
  seed: 4,
};
const resident = () => state(tensor(pictures.heldOut.data, [pictures.heldOut.count, 16, 16, 3]));

let before: Backend | undefined;
beforeAll(() => {
  before = useBackend(reference);
});
afterAll(() => void useBackend(before));

describe('an encoder read from a checkpoint', () => {
  it.each<[string, Partial<PretrainConfig>]>([
    ['vision transformer', { method: 'moco-v3', model: 'vit-tiny', optimizer: 'adamw', lr: 1e-3 }],
    ['ResNet of MoCo v3', { method: 'moco-v3' }],
    ['ResNet of a memory bank', { method: 'memory-bank', m: 0.5 }],
  ])('%s gives the features of the run, to the bit', async (_, changed) => {
    const run = new Pretraining({ ...config, ...changed }, pictures);
    await run.trial();
    const { tensors, metadata } = decodeSafetensors(await saveCheckpoint(run.method, {}), 'run');
    const file = encoderOf({ tensors, metadata }, 'run', { size: 8, stem: 'small' });
    const encoder = buildEncoder(file, 'run');
    expect(encoder.training).toBe(false);
    const { values } = await embedPictures(encoder, pictures.heldOut, resident(), config);
    expect(values).toEqual((await run.features()).heldOut.values);
  });

  it('a vision transformer has its names, filters as OIHW, and its options', async () => {
    const model = vit('vit-tiny', { size: 8 });
    const tensors = await moduleTensors(model);
    expect(tensors.get('patch_embed.proj.weight')!.shape).toEqual([64, 3, 4, 4]);
    const ohwi = await [...model.entries()]
      .flatMap((e) => (e.name === 'patch_embed.proj.weight' && 'tensor' in e ? [e.tensor] : []))[0]
      .data();
    expect(tensors.get('patch_embed.proj.weight')!.data[((5 * 3 + 2) * 4 + 1) * 4 + 3]).toBe(
      ohwi[((5 * 4 + 1) * 4 + 3) * 3 + 2],
    );
    const { architecture, normalisation } = encoderOf({ tensors, metadata: {} }, 'x');
    expect(architecture).toEqual({
      model: 'vit-tiny',
      width: 64,
      depth: 4,
      heads: 4,
      patch: 4,
      size: 8,
      stem: 'patch',
    });
    expect(normalisation.size).toBe(8);
  });

  it('so has one with a conv stem', async () => {
    const options = { width: 64, depth: 2, heads: 4, patch: 8, size: 32, stem: 'conv' } as const;
    const file = encoderOf(
      { tensors: await moduleTensors(new VisionTransformer({ ...options, head: 'mlp' })), metadata: {} },
      'x',
    );
    expect(file.architecture).toEqual(options);
    expect(buildEncoder(file, 'x').features).toBe(64);
  });

  it('says what it lacks', async () => {
    const tensors = await moduleTensors(vit('vit-tiny', { size: 8 }));
    tensors.delete('blocks.0.attn.qkv.weight');
    expect(() => encoderOf({ tensors, metadata: {} }, 'x.pth')).toThrow(FormatError);
    expect(() => encoderOf({ tensors, metadata: {} }, 'x.pth')).toThrow(
      'x.pth: its encoder must be a vision transformer',
    );
  });
});

describe('embedPictures', () => {
  it('leaves evaluation mode when the model fails', async () => {
    const model = vit('vit-tiny', { size: 8 });
    await expect(embedPictures(model, pictures.heldOut, resident(), { ...config, size: 12 })).rejects.toThrow(
      'pictures must be [N, 8, 8, 3]',
    );
    expect([model.training, model.norm.training]).toEqual([true, true]);
  });
});
