import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, useBackend } from '../../src/backend/backend.js';
import { loadCheckpoint, saveCheckpoint } from '../../src/checkpoints/checkpoint.js';
import { subset } from '../../src/data/pictures.js';
import type { PretrainConfig } from '../../src/moco/config.js';
import { startRun } from '../../src/train/open-run.node.js';
import { Pretraining } from '../../src/train/pretrain.js';
import { reference } from '../support/devices.js';
import { base, pictures, v3 } from '../support/short_run.js';

let before: Backend | undefined;
beforeAll(() => {
  before = useBackend(reference);
});
afterAll(() => void useBackend(before));

describe('a run saved after one step of four goes on to the same bits', () => {
  it.each<[string, Partial<PretrainConfig>]>([
    ['MoCo v3, LARS', { ...v3, optimizer: 'lars' }],
    ['MoCo v3, AdamW, vision transformer', { ...v3, optimizer: 'adamw', model: 'vit-tiny', lr: 1e-3 }],
    ['end to end, shared', { method: 'end-to-end' }],
    ['end to end, apart', { method: 'end-to-end', shared: false }],
    ['memory bank', { method: 'memory-bank', m: 0.5 }],
    ['memory bank, NCE', { method: 'memory-bank', bankLoss: 'nce', m: 0.5 }],
    ['MoCo, symmetric, in two parts', { symmetric: true, accumulate: 2 }],
  ])('%s', async (_, changed) => {
    const start = () => new Pretraining({ ...base, ...changed }, pictures);
    const [straight, first, second] = [start(), start(), start()];
    const train = async (run: Pretraining, steps: number) => {
      for (let i = 0; i < steps; i++) await run.trial();
    };
    await train(straight, 4);
    await train(first, 1);
    const saved = await saveCheckpoint(first.method, {});
    loadCheckpoint(second.method, saved, 'first');
    second.position = first.position;
    await train(second, 3);
    const [want, got] = await Promise.all([straight, second].map((run) => saveCheckpoint(run.method, {})));
    expect(Buffer.from(got).equals(Buffer.from(want))).toBe(true);
    expect(Buffer.from(saved).equals(Buffer.from(want))).toBe(false);
  });
});

it('a run does not go on with another number of pictures', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dawngrad-resume-'));
  try {
    const run = await startRun(join(folder, 'run'), {
      adapter: '',
      command: '',
      data: 'synthetic',
      choice: {},
      config: base,
    });
    await run.save(new Pretraining(base, pictures), { step: 0 });
    await run.resume(new Pretraining(base, pictures));
    const fewer = { ...pictures, train: subset(pictures.train, [0, 1, 2, 3, 4, 5, 6, 7]) };
    await expect(run.resume(new Pretraining(base, fewer))).rejects.toThrow(
      'a run must go on with the pictures it began with; got 8 where it had 16 to train on',
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
