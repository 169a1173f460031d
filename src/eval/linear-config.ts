import { above0, anything, check, checkOptions, oneOf, type Rule, whole } from '../core/check.js';
import { cosine, stepDecay } from '../optim/schedule.js';
import { configRules } from '../moco/config.js';
import type { Normalisation } from '../input/evaluation-crop.js';

/** How a linear classifier is trained on the features of a frozen encoder. */
export interface LinearConfig {
  epochs: number;
  /** Pictures a step; a smaller set is one batch. */
  batch: number;
  /** Learning rate for a batch of `lrBatch`; it grows in proportion to the batch. */
  lr: number;
  lrBatch: number;
  /** Once an epoch: a tenth from each milestone on, or down to 0 along a cosine. */
  schedule: 'step' | 'cosine';
  milestones: readonly number[];
  momentum: number;
  weightDecay: number;
  /** `augment`: each epoch sees new crops and flips of the pictures, as in the papers. `cached`: features of the whole pictures, computed once. */
  views: 'augment' | 'cached';
  /** Smallest part of a picture that a crop shows. */
  cropMin: number;
  seed: number;
}

const v1: LinearConfig = {
  epochs: 100, batch: 256, lr: 30, lrBatch: 256, schedule: 'step', milestones: [60, 80],
  momentum: 0.9, weightDecay: 0, views: 'augment', cropMin: 0.08, seed: 1,
};
const v3: LinearConfig = { ...v1, epochs: 90, batch: 1024, lr: 0.1, schedule: 'cosine', milestones: [] };

/** The recipes of MoCo v1 and v2 (facebookresearch/moco, main_lincls.py) and of v3 for ResNets and vision transformers (moco-v3, CONFIG.md). */
export const linearRecipes: Record<'v1' | 'v3' | 'v3-vit', LinearConfig> = { v1, v3, 'v3-vit': { ...v3, lr: 3 } };

/** Learning rate of an epoch, from 0, with batches of `batch`. */
export function linearRate({ lr, lrBatch, schedule, milestones, epochs }: LinearConfig, epoch: number, batch: number): number {
  const base = (lr * batch) / lrBatch;
  return schedule === 'cosine' ? cosine(base, epoch / epochs) : stepDecay(base, epoch, milestones);
}

const settings = ['epochs', 'batch', 'size', 'lrBatch', 'milestones', 'momentum', 'weightDecay', 'cropMin', 'seed', 'mean', 'std'] as const;
const rules: Record<string, Rule> = {
  ...Object.fromEntries(settings.map((key) => [key, configRules[key]])), batch: whole(1), size: whole(1), lr: above0, lrBatch: above0,
  schedule: oneOf('step', 'cosine'), views: oneOf('augment', 'cached'),
};

/** @throws ConfigError for a value that cannot work, or a setting that is not known. */
export function checkLinear(c: LinearConfig & Normalisation): void {
  checkOptions('linear probe', c, Object.fromEntries(Object.keys(rules).map((key) => [key, anything])));
  for (const [key, rule] of Object.entries(rules)) check(key, 'it', c[key as keyof typeof c], rule);
}
