import { splitHeldOut } from '../../src/data/pictures.js';
import { syntheticPictures } from '../../src/data/synthetic.js';
import { demoConfig, type PretrainConfig } from '../../src/moco/config.js';

/** Pictures and configurations of runs of four steps, small enough for the reference backend. */
export const pictures = splitHeldOut(syntheticPictures({ count: 20, size: 16, seed: 3 }), 0.2, 3); // 16 and 4
export const base: PretrainConfig = {
  ...demoConfig,
  dim: 8,
  hidden: 12,
  K: 20,
  epochs: 2,
  batch: 8,
  splits: 1,
  size: 8,
  weightDecay: 1e-3,
  seed: 6,
};
export const v3: Partial<PretrainConfig> = {
  method: 'moco-v3',
  mSchedule: 'cosine',
  scheduleEvery: 'step',
  warmup: 1,
  augmentation: 'v3',
  shuffle: false,
};
