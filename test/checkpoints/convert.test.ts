import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, useBackend } from '../../src/backend/backend.js';
import { loadCheckpoint, saveCheckpoint } from '../../src/checkpoints/checkpoint.js';
import { configIn, resumable } from '../../src/checkpoints/convert.js';
import { torchWeights } from '../../src/checkpoints/layout.js';
import { FormatError } from '../../src/core/errors.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.js';
import { decodeTorch } from '../../src/io/torch.js';
import type { PretrainConfig } from '../../src/moco/config.js';
import { Pretraining } from '../../src/train/pretrain.js';
import { saveStream, saveZip } from '../io/torch-save.js';
import { reference } from '../support/devices.js';
import { released } from '../support/released.js';
import { base, pictures, v3 } from '../support/short_run.js';

let before: Backend | undefined;
beforeAll(() => {
  before = useBackend(reference);
});
afterAll(() => void useBackend(before));

const adamw: Partial<PretrainConfig> = { ...v3, optimizer: 'adamw', model: 'vit-tiny', lr: 1e-3 };

const train = async (run: Pretraining, steps: number) => {
  for (let i = 0; i < steps; i++) await run.trial();
  return saveCheckpoint(run.method, {});
};

describe('a checkpoint as PyTorch saves it', () => {
  it.each<[string, Partial<PretrainConfig>, typeof saveZip, Parameters<typeof released>[1]]>([
    ['MoCo v2, SGD', {}, saveZip, {}],
    ['MoCo v3, ResNet, LARS', { ...v3, optimizer: 'lars' }, saveStream, { lars: true }],
    ['MoCo v3, vision transformer, AdamW', adamw, saveZip, { steps: 1 }],
  ])('of %s continues as the run that took no detour, to the bit', async (_, changed, save, how) => {
    const config = { ...base, ...changed };
    const [straight, first, second] = [1, 2, 3].map(() => new Pretraining(config, pictures));
    const want = await train(straight, 4);
    const own = await train(first, 1);
    const weights = await torchWeights(
      await decodeTorch(save(released(decodeSafetensors(own, 'own').tensors, how)), 'x.pth.tar'),
      'x.pth.tar',
    );
    const said = configIn({ ...weights, metadata: { stem: 'small' } }, 'x.pth.tar');
    expect(config).toMatchObject(said.config);
    const { tensors, metadata } = resumable(weights, 'x.pth.tar', config, said.encoder);
    expect(metadata).toMatchObject({ epoch: '2', method: config.method });
    const bytes = encodeSafetensors(tensors, {});
    // without the checksums, which the file of a run has
    const bare = encodeSafetensors(decodeSafetensors(own, 'own').tensors, {});
    expect(Buffer.from(bytes).equals(Buffer.from(bare))).toBe(true);
    loadCheckpoint(second.method, bytes, 'x.safetensors');
    second.position = first.position;
    expect(Buffer.from(await train(second, 3)).equals(Buffer.from(want))).toBe(true);
  });

  it('of MoCo v3 gets what it lacks as at the start of a run, and must have a predictor', async () => {
    const config = { ...base, ...adamw };
    const run = decodeSafetensors(await train(new Pretraining(config, pictures), 1), 'run').tensors;
    const some = (keep: RegExp) => ({ tensors: new Map([...run].filter(([name]) => keep.test(name))), metadata: {} });
    const { encoder } = configIn({ tensors: run, metadata: {} }, 'x');
    const whole = resumable(some(/^(base_encoder|predictor)/), 'x', config, encoder).tensors;
    expect([...whole.keys()].sort()).toEqual([...run.keys()].sort());
    expect(whole.get('momentum_encoder.norm.weight')).toEqual(run.get('base_encoder.norm.weight'));
    for (const name of [
      'optimizer.m.predictor.0.weight',
      'optimizer.v.base_encoder.cls_token',
      'optimizer.corrections',
    ])
      expect(whole.get(name)!.data.every((v) => v === 0)).toBe(true);
    expect([
      ...resumable({ tensors: run, metadata: {} }, 'x', { ...config, precision: 'f16' }, encoder).tensors.get(
        'optimizer.loss_scale',
      )!.data,
    ]).toEqual([65536, 0, 0, 0]);
    expect(() => resumable(some(/^base_encoder/), 'x', config, encoder)).toThrow(
      /a run of moco-v3 with vit-tiny must go on from all of its tensors; got none named predictor\.0\.weight/,
    );
    expect(() => resumable(some(/./), 'x', { ...config, size: 16 }, encoder)).toThrow(
      /pos_embed of moco-v3 with vit-tiny must have shape \[1, 17, 64\]; got \[1, 5, 64\]/,
    );
    expect(() => configIn(some(/^base_encoder(?!\.head)/), 'x')).toThrow(FormatError);
  });

  it('of AdamW says by its count of steps how far its means have come, as a number or a tensor', async () => {
    const run = decodeSafetensors(await train(new Pretraining({ ...base, ...adamw }, pictures), 3), 'run').tensors;
    const file = released(run, { steps: 3 });
    const { tensors } = await torchWeights(await decodeTorch(saveZip(file), 'x'), 'x');
    const [got, want] = [tensors, run].map((all) => [...all.get('optimizer.corrections')!.data] as number[]);
    got.forEach((v, i) => expect(v).toBeCloseTo(want[i], 7)); // the last bits depend on how the device adds
  });
});
