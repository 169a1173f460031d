import { above0, anyNumber, atLeast0, below1, finite, listOf, text, upTo1, whole } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { type ConfigOf, checkConfigOf, defaultsOf, pickSettings, settings } from '../core/settings.js';
import { models } from '../nn/models.js';
import {
  type Augmentation,
  colourChanges,
  mocoV1Augmentation,
  mocoV2Augmentation,
  mocoV3Augmentations,
} from '../ops/augment_params.js';
import { seedRule } from './check.js';

const methods = ['moco', 'moco-v3', 'end-to-end', 'memory-bank'] as const;
const share = finite(' in (0, 1]', (v) => v > 0 && v <= 1);
const three = listOf(anyNumber, 3);
const anOr = (names: readonly string[]): string => `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;

/**
 * Every setting of pretraining, a row each. The defaults are MoCo v2 at a size that a processor trains in a minute; the
 * type of the configuration, its checks, the flags of the commands and their help derive from the rows.
 */
export const pretrainSettings = settings({
  method: { default: 'moco', choices: methods, help: 'moco (v1 and v2), moco-v3, end-to-end or memory-bank' },
  model: { default: 'resnet-tiny', rule: text, help: anOr(Object.keys(models)) },
  stem: {
    default: 'small',
    choices: ['small', 'cifar', 'imagenet'],
    help: 'small (3×3 and first stage, both stride 2), cifar (3×3) or imagenet (7×7 and pooling)',
  },
  head: { default: 'mlp', choices: ['mlp', 'linear'], help: 'mlp (v2) or linear (v1); moco-v3 has its own' },
  dim: { default: 64, rule: whole(1), help: 'size of queries and keys' },
  hidden: { default: 128, rule: whole(1), help: "width of moco-v3's heads" },
  K: { default: 128, rule: whole(1), help: 'keys in the queue, or rows of the memory bank sampled a step' },
  m: { default: 0.99, rule: upTo1, help: "momentum of the key encoder, or of the memory bank's rows" },
  mSchedule: { default: 'constant', choices: ['constant', 'cosine'], help: 'constant, or cosine: m rises to 1' },
  T: { default: 0.2, rule: above0, help: 'temperature' },
  symmetric: { default: false, help: 'moco: each view is query and key in turn' },
  shared: { default: true, help: 'end-to-end: queries and keys have one encoder' },
  bankLoss: { default: 'softmax', choices: ['softmax', 'nce', 'full'], help: 'memory-bank: softmax, nce or full' },
  epochs: { default: 12, rule: whole(1), help: 'passes over the pictures' },
  batch: { default: 32, rule: whole(2), help: 'pictures a step' },
  /**
   * Parts of a batch whose gradients add up. MoCo's queue is as for the whole batch; negatives from the batch are those
   * of the part.
   */
  accumulate: {
    default: 1,
    rule: whole(1),
    help: 'parts of a batch whose gradients add up (fewer negatives in moco-v3 and end-to-end)',
  },
  optimizer: { default: 'sgd', choices: ['sgd', 'lars', 'adamw'], help: 'sgd, lars or adamw' },
  /**
   * `f16`: activations and their gradients in f16 where the adapter has it, parameters in f32, the loss scaled. `f32`
   * may be multiplied on tensor cores: see `withPrecision`; `f32-exact` never is.
   */
  precision: {
    default: 'f32',
    choices: ['f32', 'f32-exact', 'f16'],
    help: 'f32, f32-exact (never on tensor cores), or f16: activations in f16, the loss scaled',
  },
  lr: { default: 0.1, rule: atLeast0, help: 'highest learning rate, for a batch of --lr-batch' },
  lrBatch: { default: 32, rule: whole(1), help: 'the batch that --lr is for; it grows in proportion to the batch' },
  momentum: { default: 0.9, rule: below1, help: 'momentum of SGD and LARS' },
  weightDecay: { default: 5e-4, rule: atLeast0, help: 'weight decay' },
  /**
   * `cosine` counts epochs from 0; `cosine-1` from 1, so that the last epoch's rate is 0; `step` is a tenth from each
   * milestone on.
   */
  schedule: {
    default: 'cosine',
    choices: ['cosine', 'cosine-1', 'step'],
    help: 'cosine, cosine-1 (rate 0 in the last epoch) or step',
  },
  milestones: { default: [], rule: listOf(anyNumber), help: 'step: epochs from which on the rate is a tenth' },
  warmup: { default: 0, rule: atLeast0, help: 'epochs in which the learning rate rises from 0' },
  scheduleEvery: { default: 'epoch', choices: ['epoch', 'step'], help: 'epoch or step: how often rates are set' },
  splits: { default: 2, rule: whole(1), help: 'parts of a batch that batch norm keeps apart' },
  /** Keys are encoded in another order than queries. Off only to show why it matters. */
  shuffle: { default: true, help: 'encode keys in another order than queries (without it batch norm leaks)' },
  size: {
    default: 32,
    rule: whole(4),
    help: 'pixels of a view; a folder is decoded at 8/7 of it (at 64 at least), no larger than its pictures are',
  },
  augmentation: { default: 'v2', choices: ['v1', 'v2', 'v3'], help: 'random views as of MoCo v1, v2 or v3' },
  cropMin: { default: 0.4, rule: share, help: 'smallest part of a picture that a view shows' },
  jitter: { default: 1, rule: upTo1, help: "strength of the views' colour changes, as a part of the papers'" },
  /** Blur views where the augmentation does; MoCo's CIFAR demonstration does not. */
  blur: { default: false, help: 'blur views where the augmentation does' },
  mean: { default: mocoV2Augmentation.mean, rule: three, help: 'mean of each channel in [0, 1]' },
  std: { default: mocoV2Augmentation.std, rule: listOf(above0, 3), help: 'standard deviation of each channel' },
  knn: { default: 20, rule: whole(1), help: 'neighbours of the k-NN monitor' },
  knnT: { default: 0.1, rule: above0, help: 'temperature of its votes' },
  knnEvery: { default: 4, rule: whole(1), help: 'epochs from one k-NN to the next' },
  /** k-NN by the outputs of the encoder's head too, as the published curve of MoCo's CIFAR-10 demonstration was. */
  knnOutputs: { default: false, help: "k-NN by the outputs of the encoder's head too" },
  heldOut: { default: 0.2, rule: below1, help: 'part of the pictures held out for k-NN and never trained on' },
  seed: { default: 1, rule: seedRule, help: 'seed of everything random' },
});

/** Everything a pretraining run depends on, besides its pictures. */
export interface PretrainConfig extends ConfigOf<typeof pretrainSettings> {}

/** MoCo v2 at a size that a processor trains in a minute. */
export const demoConfig: PretrainConfig = defaultsOf(pretrainSettings);

type Judge = (config: PretrainConfig, pictures: number) => string | false;

const inParts = ({ accumulate }: PretrainConfig): string => (accumulate > 1 ? ` in each of ${accumulate} parts` : '');

/** What settings must be to each other and to the number of pictures: a sentence where they are not. */
const crossRules: readonly Judge[] = [
  ({ warmup, epochs }) =>
    warmup >= epochs && `warmup: it must end before the last epoch; got ${warmup} of ${epochs} epochs. Shorten it.`,
  (c) => {
    const parts = c.splits * c.accumulate;
    return (
      c.batch % parts !== 0 &&
      `splits: the batch must divide into equal parts for batch norm; ` +
        `got batch ${c.batch} and splits ${c.splits}${inParts(c)}. ` +
        `Use a batch of ${Math.max(2, Math.round(c.batch / parts)) * parts}, or other splits.`
    );
  },
  (c) =>
    c.batch / c.splits / c.accumulate < 2 &&
    'splits: a part must have at least 2 pictures for batch norm; ' +
      `got batch ${c.batch} and splits ${c.splits}${inParts(c)}. Use fewer splits.`,
  ({ batch, splits, accumulate }, pictures) =>
    pictures < batch &&
    `batch: it must not exceed the pictures to train on; got batch ${batch} and ${pictures} pictures. ` +
      `Use a batch of ${Math.max(2, Math.floor(pictures / splits / accumulate) * splits * accumulate)} or ` +
      `fewer, or more pictures.`,
];

/** What works and is seldom meant: a sentence where it is so. */
const cautions: readonly Judge[] = [
  ({ method, K }, pictures) =>
    method === 'moco' &&
    K > pictures &&
    `K: the queue (${K} keys) is larger than the data set (${pictures} pictures), ` +
      `so it holds other views of the query's own picture ` +
      'as negatives, which teaches the encoder to tell a picture from itself. ' +
      `Use --K ${2 ** Math.floor(Math.log2(Math.max(2, pictures / 2)))} or fewer.`,
  ({ method, accumulate, batch }) =>
    accumulate > 1 &&
    (method === 'moco-v3' || method === 'end-to-end') &&
    `accumulate: the negatives of ${method} are the other keys of the backward pass, so each query has ` +
      `${batch / accumulate - 1} and not ${batch - 1}. Use --accumulate 1 to compare with the paper.`,
];

/** Checks settings each by itself, all of them or those of `keys`. @throws ConfigError as `checkConfigOf`. */
export function checkSettings(where: string, config: object, keys?: readonly (keyof PretrainConfig)[]): void {
  checkConfigOf(where, keys ? pickSettings(pretrainSettings, keys) : pretrainSettings, config);
}

/**
 * Checks a configuration against its rules and the number of pictures to train on.
 * @returns warnings.
 * @throws ConfigError
 */
export function checkConfig(config: PretrainConfig, pictures: number): string[] {
  checkSettings('configuration', config);
  const sentences = (judges: readonly Judge[]) => judges.flatMap((judge) => judge(config, pictures) || []);
  const [wrong] = sentences(crossRules);
  if (wrong) throw new ConfigError(wrong);
  return sentences(cautions);
}

const recipes = {
  v1: [mocoV1Augmentation, mocoV1Augmentation],
  v2: [mocoV2Augmentation, mocoV2Augmentation],
  v3: mocoV3Augmentations,
} as const;

/** How the first and the second view are sampled. */
export function viewsOf({ augmentation, cropMin, jitter, blur, mean, std }: PretrainConfig): Augmentation[] {
  return recipes[augmentation].map((a) => ({
    ...a,
    scale: [cropMin, 1],
    jitter: a.jitter && colourChanges(a.jitter, jitter),
    mean,
    std,
    blur: blur ? a.blur : undefined,
  }));
}
