import { above0, anyNumber, anything, atLeast0, below1, check, checkOptions, finite, flag, listOf, oneOf, type Rule, text, upTo1, whole } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { type Augmentation, mocoV1Augmentation, mocoV2Augmentation, mocoV3Augmentations } from '../ops/augment_params.js';
import { seedRule } from './check.js';

/** Everything a pretraining run depends on, besides its pictures. */
export interface PretrainConfig {
  /** The mechanism; MoCo v1 and v2 are `moco`. */
  method: 'moco' | 'moco-v3' | 'end-to-end' | 'memory-bank';
  /** A name that `models` knows. */
  model: string;
  stem: 'imagenet' | 'cifar' | 'small';
  head: 'linear' | 'mlp';
  /** Size of queries and keys. */
  dim: number;
  /** Width of the hidden layers of MoCo v3's heads. */
  hidden: number;
  /** Keys in the queue, or rows of the memory bank drawn a step. */
  K: number;
  /** Momentum of the key encoder, or of the memory bank's rows. */
  m: number;
  /** The momentum stays, or rises to 1 along a cosine. */
  mSchedule: 'constant' | 'cosine';
  /** Temperature. */
  T: number;
  /** `moco`: each view is query and key in turn. MoCo v3 always is. */
  symmetric: boolean;
  /** `end-to-end`: queries and keys have one encoder. */
  shared: boolean;
  /** `memory-bank`: softmax or NCE over the K drawn rows, or the full softmax. */
  bankLoss: 'softmax' | 'nce' | 'full';
  epochs: number;
  batch: number;
  /** Parts of a batch whose gradients add up. MoCo's queue is as for the whole batch; negatives from the batch are those of the part. */
  accumulate: number;
  optimizer: 'sgd' | 'lars' | 'adamw';
  /** `f16`: activations and their gradients are halves where the adapter has them, parameters f32, and the loss is scaled. */
  precision: 'f32' | 'f16';
  /** Highest learning rate for a batch of `lrBatch`; it grows in proportion to the batch. */
  lr: number;
  lrBatch: number;
  /** `cosine` counts epochs from 0; `cosine-1` from 1, so that the last epoch's rate is 0; `step` is a tenth from each milestone on. */
  schedule: 'cosine' | 'cosine-1' | 'step';
  milestones: readonly number[];
  /** Epochs in which the learning rate rises from 0. */
  warmup: number;
  /** How often the learning rate and m are set. */
  scheduleEvery: 'epoch' | 'step';
  momentum: number;
  weightDecay: number;
  /** Parts of a batch that batch norm normalises apart. */
  splits: number;
  /** Keys are encoded in another order than queries. Off only to show why it matters. */
  shuffle: boolean;
  /** Pixels of a view. */
  size: number;
  /** The random views of MoCo v1, v2 or v3. */
  augmentation: 'v1' | 'v2' | 'v3';
  /** Smallest part of a picture that a view shows. */
  cropMin: number;
  /** Blur views where the augmentation does; MoCo's CIFAR demonstration does not. */
  blur: boolean;
  /** Mean and standard deviation of each channel in [0, 1]. */
  mean: readonly number[];
  std: readonly number[];
  /** Neighbours and temperature of the weighted k-NN that watches the features. */
  knn: number;
  knnT: number;
  /** Epochs from one k-NN to the next. */
  knnEvery: number;
  /** k-NN by the outputs of the encoder's head too, as the published curve of MoCo's CIFAR-10 demonstration was measured. */
  knnOutputs: boolean;
  /** Part of the pictures that is never trained on. */
  heldOut: number;
  seed: number;
}

/** MoCo v2 at a size that a processor trains in a minute. */
export const demoConfig: PretrainConfig = {
  method: 'moco', model: 'resnet-tiny', stem: 'small', head: 'mlp', dim: 64, hidden: 128,
  K: 128, m: 0.99, mSchedule: 'constant', T: 0.2, symmetric: false, shared: true, bankLoss: 'softmax',
  epochs: 12, batch: 32, accumulate: 1, optimizer: 'sgd', precision: 'f32', lr: 0.1, lrBatch: 32, momentum: 0.9, weightDecay: 5e-4,
  schedule: 'cosine', milestones: [], warmup: 0, scheduleEvery: 'epoch',
  splits: 2, shuffle: true,
  size: 32, augmentation: 'v2', cropMin: 0.4, blur: false, mean: mocoV2Augmentation.mean, std: mocoV2Augmentation.std,
  knn: 20, knnT: 0.1, knnEvery: 4, knnOutputs: false, heldOut: 0.2, seed: 1,
};

const recipes = {
  v1: [mocoV1Augmentation, mocoV1Augmentation],
  v2: [mocoV2Augmentation, mocoV2Augmentation],
  v3: mocoV3Augmentations,
} as const;

/** How the first and the second view are drawn. */
export function viewsOf({ augmentation, cropMin, blur, mean, std }: PretrainConfig): Augmentation[] {
  return recipes[augmentation].map((a) => ({ ...a, scale: [cropMin, 1], mean, std, blur: blur ? a.blur : undefined }));
}

const three = listOf(anyNumber, 3);

/** What each setting must be. */
export const configRules: Readonly<Record<keyof PretrainConfig, Rule>> = {
  method: oneOf('moco', 'moco-v3', 'end-to-end', 'memory-bank'), model: text, stem: oneOf('small', 'cifar', 'imagenet'), head: oneOf('mlp', 'linear'),
  dim: whole(1), hidden: whole(1), K: whole(1), m: upTo1, mSchedule: oneOf('constant', 'cosine'), T: above0, symmetric: flag, shared: flag,
  bankLoss: oneOf('softmax', 'nce', 'full'), epochs: whole(1), batch: whole(2), accumulate: whole(1), optimizer: oneOf('sgd', 'lars', 'adamw'),
  precision: oneOf('f32', 'f16'), lr: atLeast0, lrBatch: whole(1), schedule: oneOf('cosine', 'cosine-1', 'step'), milestones: listOf(anyNumber), warmup: atLeast0,
  scheduleEvery: oneOf('epoch', 'step'), momentum: below1, weightDecay: atLeast0, splits: whole(1), shuffle: flag, size: whole(4),
  augmentation: oneOf('v1', 'v2', 'v3'), cropMin: finite(' in (0, 1]', (v) => v > 0 && v <= 1), blur: flag, mean: three, std: listOf(above0, 3),
  knn: whole(1), knnT: above0, knnEvery: whole(1), knnOutputs: flag, heldOut: below1, seed: seedRule,
};

/** Checks each setting by itself. @throws ConfigError that names one which cannot work, is missing or unknown. */
export function checkSettings(where: string, c: Partial<PretrainConfig>, keys: readonly (keyof PretrainConfig)[] = Object.keys(configRules) as (keyof PretrainConfig)[]): void {
  checkOptions(where, c, Object.fromEntries(keys.map((key) => [key, anything])));
  for (const key of keys) check(key, 'it', c[key], configRules[key]);
}

/** Checks a configuration against its rules and the number of pictures to train on. Returns warnings. */
export function checkConfig(c: PretrainConfig, pictures: number): string[] {
  checkSettings('configuration', c);
  if (c.warmup >= c.epochs) throw new ConfigError(`warmup: it must end before the last epoch; got ${c.warmup} of ${c.epochs} epochs. Shorten it.`);
  if (c.batch % (c.splits * c.accumulate) !== 0)
    throw new ConfigError(
      `splits: the batch must divide into equal parts for batch norm; got batch ${c.batch} and splits ${c.splits}` +
        `${c.accumulate > 1 ? ` in each of ${c.accumulate} parts` : ''}. ` +
        `Use a batch of ${Math.max(2, Math.round(c.batch / c.splits / c.accumulate)) * c.splits * c.accumulate}, or other splits.`,
    );
  if (c.batch / c.splits / c.accumulate < 2)
    throw new ConfigError(
      'splits: a part must have at least 2 pictures for batch norm; ' +
        `got batch ${c.batch} and splits ${c.splits}${c.accumulate > 1 ? ` in each of ${c.accumulate} parts` : ''}. Use fewer splits.`,
    );
  if (pictures < c.batch)
    throw new ConfigError(
      `batch: it must not exceed the pictures to train on; got batch ${c.batch} and ${pictures} pictures. ` +
        `Use a batch of ${Math.max(2, Math.floor(pictures / c.splits / c.accumulate) * c.splits * c.accumulate)} or fewer, or more pictures.`,
    );
  const warnings: string[] = [];
  if (c.method === 'moco' && c.K > pictures)
    warnings.push(
      `K: the queue (${c.K} keys) is larger than the data set (${pictures} pictures), so it holds other views of the query's own picture ` +
        'as negatives, which teaches the encoder to tell a picture from itself. ' +
        `Use --K ${2 ** Math.floor(Math.log2(Math.max(2, pictures / 2)))} or fewer.`,
    );
  if (c.accumulate > 1 && (c.method === 'moco-v3' || c.method === 'end-to-end'))
    warnings.push(
      `accumulate: the negatives of ${c.method} are the other keys of the backward pass, so each query has ` +
        `${c.batch / c.accumulate - 1} and not ${c.batch - 1}. Use --accumulate 1 to compare with the paper.`,
    );
  return warnings;
}
