import { check, text } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';
import { cifarAugmentation } from '../ops/augment_params.js';
import { demoConfig, type PretrainConfig } from './config.js';

/** What all papers share on ImageNet. Deviation: a fiftieth of the pictures is held out for the k-NN monitor. */
// biome-ignore format: a table of what a paper says.
const imagenet: PretrainConfig = {
  ...demoConfig, model: 'resnet50', stem: 'imagenet', dim: 128, hidden: 4096, lrBatch: 256, momentum: 0.9, size: 224,
  cropMin: 0.2, blur: true, knn: 200, knnT: 0.1, knnEvery: 10, heldOut: 0.02,
};

/** arXiv:1911.05722: 8 GPUs with 32 pictures each normalise apart. */
// biome-ignore format: a table of what a paper says.
const v1: PretrainConfig = {
  ...imagenet, head: 'linear', K: 65536, m: 0.999, T: 0.07, epochs: 200, batch: 256, lr: 0.03, weightDecay: 1e-4,
  schedule: 'step', milestones: [120, 160], splits: 8, augmentation: 'v1',
};

/** How MoCo v3 differs: arXiv:2104.02057. */
// biome-ignore format: a table of what a paper says.
const asV3: Partial<PretrainConfig> = {
  method: 'moco-v3', mSchedule: 'cosine', scheduleEvery: 'step', splits: 1, shuffle: false, augmentation: 'v3',
};

/** The configurations of facebookresearch/moco-v3: batch norm over the whole batch. */
const v3: PretrainConfig = { ...imagenet, ...asV3, dim: 256, m: 0.99, batch: 4096, epochs: 300, schedule: 'cosine' };
const v3ResNet: PretrainConfig = { ...v3, T: 1, optimizer: 'lars', lr: 0.3, weightDecay: 1e-6, warmup: 10 };
// biome-ignore format: a table of what a paper says.
const v3ViT: PretrainConfig = {
  ...v3, T: 0.2, optimizer: 'adamw', lr: 1.5e-4, weightDecay: 0.1, warmup: 40, cropMin: 0.08,
};

/** Configurations by name: the papers' exact ones, and small ones that a processor trains in minutes. */
// biome-ignore format: a table of what a paper says.
export const presets: Record<string, PretrainConfig> = {
  /** The first run: by AdamW, which gets over the first epochs' plateau sooner than SGD. */
  demo: {
    ...demoConfig,
    T: 0.1,
    m: 0.996,
    epochs: 30,
    optimizer: 'adamw',
    lr: 0.003,
    weightDecay: 0.01,
    cropMin: 0.5,
    jitter: 0.75,
    knnEvery: 6,
  },
  'v1-demo': { ...demoConfig, head: 'linear', T: 0.1, augmentation: 'v1', schedule: 'step', milestones: [8, 10] },
  'v3-demo': { ...demoConfig, ...asV3, warmup: 1 },
  'v3-vit-demo': {
    ...demoConfig, ...asV3, model: 'vit-mini', optimizer: 'adamw', lr: 1e-3, weightDecay: 0.1, warmup: 1,
  },
  'e2e-demo': { ...demoConfig, method: 'end-to-end' },
  'bank-demo': { ...demoConfig, method: 'memory-bank', m: 0.5, splits: 1, shuffle: false },
  'v1-r50': v1,
  'v2-r50': { ...v1, head: 'mlp', T: 0.2, schedule: 'cosine', milestones: [], augmentation: 'v2' },
  'v3-r50-100': { ...v3ResNet, epochs: 100, lr: 0.6 },
  'v3-r50-300': v3ResNet,
  'v3-r50-1000': { ...v3ResNet, epochs: 1000, weightDecay: 1.5e-6, m: 0.996 },
  'v3-vit-s': { ...v3ViT, model: 'vit-s' },
  'v3-vit-b': { ...v3ViT, model: 'vit-b' },
  /** MoCo's figure 3 at the largest batch it reached, on 8 GPUs. */
  'e2e-r50': { ...v1, method: 'end-to-end', batch: 1024 },
  /** The softmax over sampled rows, as MoCo's authors improved it (58.0 % on ImageNet). */
  'bank-r50': { ...v1, method: 'memory-bank', m: 0.5, shuffle: false },
  /** The CIFAR-10 demonstration of facebookresearch/moco. */
  'cifar-r18': {
    ...demoConfig, model: 'resnet18', stem: 'cifar', head: 'linear', dim: 128, K: 4096, T: 0.1, epochs: 200,
    batch: 512, lr: 0.06, lrBatch: 512, schedule: 'cosine-1', splits: 8, cropMin: 0.08, mean: cifarAugmentation.mean,
    std: cifarAugmentation.std, knn: 200, knnEvery: 5, knnOutputs: true, heldOut: 0.1,
  },
};

/** @throws ConfigError for an unknown name, with the nearest known one. */
export function presetOf(name: string): PretrainConfig {
  check('preset', 'the name', name, text);
  if (Object.hasOwn(presets, name)) return presets[name];
  const near = nearest(name, Object.keys(presets));
  throw new ConfigError(
    `preset: it must be one of ${Object.keys(presets).join(', ')}; got ${name}. ` +
      `${near ? `Did you mean ${near}?` : 'Choose one.'}`,
  );
}
