import { above0, whole } from '../core/check.js';
import { type ConfigOf, checkConfigOf, defaultsOf, settings } from '../core/settings.js';
import type { Normalisation } from '../input/evaluation-crop.js';
import { pretrainSettings } from '../moco/config.js';
import { cosine, stepDecay } from '../optim/schedule.js';

const { epochs, milestones, momentum, weightDecay, cropMin, seed } = pretrainSettings;

/** Every setting of linear evaluation, a row each: the defaults are the recipe of MoCo v1 and v2. */
export const linearSettings = settings({
  epochs: { ...epochs, default: 100 },
  /** Pictures a step; a smaller set is one batch. */
  batch: { default: 256, rule: whole(1), help: 'pictures a step' },
  /** Learning rate for a batch of `lrBatch`; it grows in proportion to the batch. */
  lr: {
    default: 30,
    rule: above0,
    help:
      "learning rate for a batch of 256, as it is; without it, some about the recipe's are tried " +
      'on a held-out fifth of the training pictures',
  },
  lrBatch: { default: 256, rule: above0, help: 'the batch that lr is for' },
  /** Once an epoch: a tenth from each milestone on, or down to 0 along a cosine. */
  schedule: { default: 'step', choices: ['step', 'cosine'], help: 'step or cosine' },
  milestones: { ...milestones, default: [60, 80] },
  momentum,
  weightDecay: { ...weightDecay, default: 0 },
  /**
   * `augment`: each epoch sees new crops and flips of the pictures, as in the papers. `cached`: features of the whole
   * pictures, computed once.
   */
  views: {
    default: 'augment',
    choices: ['augment', 'cached'],
    help: 'new crops and flips in each epoch, as in the papers; without it, features are computed once',
  },
  /** Smallest part of a picture that a crop shows. */
  cropMin: { ...cropMin, default: 0.08, help: 'smallest part of a picture that a crop shows' },
  seed,
});

/** How a linear classifier is trained on the features of a frozen encoder. */
export interface LinearConfig extends ConfigOf<typeof linearSettings> {}

const v1: LinearConfig = defaultsOf(linearSettings);
const v3: LinearConfig = { ...v1, epochs: 90, batch: 1024, lr: 0.1, schedule: 'cosine', milestones: [] };

/**
 * The recipes of MoCo v1 and v2 (facebookresearch/moco, main_lincls.py) and of v3 for ResNets and vision transformers
 * (moco-v3, CONFIG.md).
 */
export const linearRecipes: Record<'v1' | 'v3' | 'v3-vit', LinearConfig> = { v1, v3, 'v3-vit': { ...v3, lr: 3 } };

/** Learning rate of an epoch, from 0, with batches of `batch`. */
export function linearRate(
  { lr, lrBatch, schedule, milestones, epochs }: LinearConfig,
  epoch: number,
  batch: number,
): number {
  const base = (lr * batch) / lrBatch;
  return schedule === 'cosine' ? cosine(base, epoch / epochs) : stepDecay(base, epoch, milestones);
}

/** The classifier's settings, and what pictures are prepared by. */
const { mean, std, size } = pretrainSettings;
const checked = { ...linearSettings, size: { ...size, rule: whole(1) }, mean, std };

/** @throws ConfigError for a value that cannot work, or a setting that is not known. */
export const checkLinear = (c: LinearConfig & Normalisation): void => checkConfigOf('linear probe', checked, c);
