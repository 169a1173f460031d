import { describe, expect, it } from 'vitest';
import { useBackend } from '../../src/backend/backend.js';
import { ConfigError } from '../../src/core/errors.js';
import { demoConfig, type PretrainConfig } from '../../src/moco/config.js';
import { presets } from '../../src/moco/presets.js';
import { checkFits, needsOf } from '../../src/train/needs.js';
import { Pretraining } from '../../src/train/pretrain.js';
import { gpu } from '../support/devices.js';
import { base, pictures } from '../support/short_run.js';

const GiB = 2 ** 30;

describe('what a run needs is worked out without a device', () => {
  it('is what a recorded step holds, besides scratch memory and rounding', async () => {
    const before = useBackend(await gpu());
    for (const method of ['moco'] as const) {
      const config: PretrainConfig = { ...base, method };
      const training = new Pretraining(config, pictures);
      for (let i = 0; i < 2; i++) await training.trial();
      const { live } = training.memory;
      const { state, peak } = needsOf(config, pictures.train.count);
      expect((peak - state) / live, method).toBeGreaterThan(0.7);
      expect((peak - state) / live, method).toBeLessThan(1.3);
    }
    useBackend(before);
  });

  it('of ResNet-50 at 224, batch 256, is about what frameworks take: 25 GiB', () => {
    const { state, peak } = needsOf({ ...demoConfig, ...presets['v2-r50'] }, 1000);
    expect(peak / GiB).toBeGreaterThan(20);
    expect(peak / GiB).toBeLessThan(30);
    expect(state / GiB).toBeLessThan(1);
  });

  const room = { name: 'X', largest: 2 * GiB, memory: 16 * GiB };
  it.each<[Partial<PretrainConfig>, RegExp]>([
    [{ K: 50_000_000 }, /^K: its keys must fit into 2 GiB on X; got 50000000 of dim 64, 11\.9 GiB\. At most 8388608/],
    [{ batch: 8192, size: 224, model: 'resnet50' }, /^batch: a step must fit into the 16 GiB of X; .* (\d+) would fit/],
    [{ size: 4096, batch: 4096 }, /^batch: .*; got a batch of 4096 of 4096×4096 for resnet-tiny\. (\d+) would fit/],
  ])('%o is refused with the largest that fits', (change, says) => {
    const config = { ...demoConfig, ...change };
    const refusal = (c: PretrainConfig) => {
      try {
        checkFits(c, 1000, room);
        return undefined;
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
        return (error as Error).message;
      }
    };
    const message = refusal(config);
    expect(message).toMatch(says);
    const batch = Number(says.exec(message!)![1] ?? 0);
    if (batch === 0) return expect(refusal({ ...config, K: 8_388_608 })).toBeUndefined();
    expect(refusal({ ...config, batch })).toBeUndefined();
    expect(refusal({ ...config, batch: batch + config.splits * config.accumulate })).toMatch(/^batch/);
  });

  it('no batch at all is said, too, and keys of a memory bank are as many as pictures', () => {
    const small = { ...room, memory: GiB / 4 };
    expect(() => checkFits({ ...demoConfig, size: 2048, batch: 64 }, 1000, small)).toThrow(
      'Take a smaller size or model',
    );
    expect(() => checkFits({ ...demoConfig, method: 'memory-bank' }, 1e8, room)).toThrow(
      'memory bank: its keys must fit',
    );
    expect(() => checkFits({ ...demoConfig, model: 'vit-b', size: 224 }, 1, { ...room, largest: GiB / 4 })).toThrow(
      /^model: its parameters must fit into 256 MiB on X; got .* for vit-b/,
    );
  });
});
