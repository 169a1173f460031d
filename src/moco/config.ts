import { ConfigError } from '../core/errors.js';
import type { Augmentation } from '../ops/augment_params.js';
import { mocoV2Augmentation } from '../ops/augment_params.js';

/** Everything a pretraining run depends on, besides its pictures. */
export interface PretrainConfig {
  /** A name that `resnet` knows. */
  model: string;
  stem: 'imagenet' | 'cifar' | 'small';
  head: 'linear' | 'mlp';
  /** Size of queries and keys. */
  dim: number;
  /** Keys in the queue. */
  K: number;
  /** Momentum of the key encoder. */
  m: number;
  /** Temperature. */
  T: number;
  epochs: number;
  batch: number;
  /** Learning rate for the whole batch at the start of the cosine. */
  lr: number;
  momentum: number;
  weightDecay: number;
  /** Parts of a batch that batch norm normalises apart. */
  splits: number;
  /** Keys are encoded in another order than queries. Off only to show why it matters. */
  shuffle: boolean;
  /** Pixels of a view. */
  size: number;
  /** Smallest part of a picture that a view shows. */
  cropMin: number;
  /** Blur views, as MoCo v2 does; its CIFAR demonstration does not. */
  blur: boolean;
  /** Mean and standard deviation of each channel in [0, 1]. */
  mean: readonly number[];
  std: readonly number[];
  /** Neighbours and temperature of the weighted k-NN that watches the features. */
  knn: number;
  knnT: number;
  /** Epochs from one k-NN to the next. */
  knnEvery: number;
  /** Part of the pictures that is never trained on. */
  heldOut: number;
  seed: number;
}

/** MoCo v2 at a size that a processor trains in two minutes. */
export const demoConfig: PretrainConfig = {
  model: 'resnet-tiny', stem: 'small', head: 'mlp', dim: 64,
  K: 128, m: 0.99, T: 0.2,
  epochs: 12, batch: 32, lr: 0.1, momentum: 0.9, weightDecay: 5e-4,
  splits: 2, shuffle: true,
  size: 32, cropMin: 0.4, blur: false, mean: mocoV2Augmentation.mean, std: mocoV2Augmentation.std,
  knn: 20, knnT: 0.1, knnEvery: 4, heldOut: 0.2, seed: 1,
};

/** The random views that a configuration asks for: MoCo v2's, with its crop and blur. */
export function viewsOf({ cropMin, blur, mean, std }: PretrainConfig): Augmentation {
  const { blur: v2Blur, ...rest } = mocoV2Augmentation;
  return { ...rest, scale: [cropMin, 1], mean, std, ...(blur && { blur: v2Blur }) };
}

type Rule = [key: keyof PretrainConfig, holds: (v: number) => boolean, rule: string];

const whole = (min: number) => (v: number) => Number.isInteger(v) && v >= min;
const rules: Rule[] = [
  ['dim', whole(1), 'a whole number above 0'],
  ['K', whole(1), 'a whole number above 0'],
  ['m', (v) => v >= 0 && v <= 1, 'in [0, 1]'],
  ['T', (v) => v > 0, 'above 0'],
  ['epochs', whole(1), 'a whole number above 0'],
  ['batch', whole(2), 'a whole number above 1'],
  ['lr', (v) => v >= 0 && Number.isFinite(v), 'at least 0'],
  ['momentum', (v) => v >= 0 && v < 1, 'in [0, 1)'],
  ['weightDecay', (v) => v >= 0 && Number.isFinite(v), 'at least 0'],
  ['splits', whole(1), 'a whole number above 0'],
  ['size', whole(4), 'a whole number above 3'],
  ['cropMin', (v) => v > 0 && v <= 1, 'in (0, 1]'],
  ['knn', whole(1), 'a whole number above 0'],
  ['knnT', (v) => v > 0, 'above 0'],
  ['knnEvery', whole(1), 'a whole number above 0'],
  ['heldOut', (v) => v >= 0 && v < 1, 'in [0, 1)'],
  ['seed', (v) => whole(0)(v) && v < 2 ** 32, 'a whole number below 2^32'],
];

const choices: [key: keyof PretrainConfig, known: string[]][] = [
  ['head', ['mlp', 'linear']],
  ['stem', ['small', 'cifar', 'imagenet']],
];

/** Checks a configuration against its rules and the number of pictures to train on. Returns warnings. */
export function checkConfig(c: PretrainConfig, pictures: number): string[] {
  for (const [key, holds, rule] of rules)
    if (typeof c[key] !== 'number' || !holds(c[key])) throw new ConfigError(`${key}: it must be ${rule}; got ${String(c[key])}. Correct it.`);
  for (const [key, known] of choices)
    if (!known.includes(c[key] as string)) throw new ConfigError(`${key}: it is ${known.slice(0, -1).join(', ')} or ${known.at(-1)}; got ${String(c[key])}. Choose one.`);
  if (c.batch % c.splits !== 0)
    throw new ConfigError(`splits: the batch must divide into equal parts for batch norm; got batch ${c.batch} and splits ${c.splits}. Use a batch of ${Math.max(2, Math.round(c.batch / c.splits)) * c.splits}, or other splits.`);
  if (c.batch / c.splits < 2) throw new ConfigError(`splits: batch norm needs at least 2 pictures a part; got batch ${c.batch} and splits ${c.splits}. Use fewer splits.`);
  if (pictures < c.batch)
    throw new ConfigError(`batch: it must not exceed the pictures to train on; got batch ${c.batch} and ${pictures} pictures. Use a batch of ${Math.max(2, Math.floor(pictures / c.splits) * c.splits)} or fewer, or more pictures.`);
  const warnings: string[] = [];
  if (c.K > pictures)
    warnings.push(`K: the queue (${c.K} keys) is larger than the data set (${pictures} pictures), so it holds other views of the query's own picture as negatives, which teaches the encoder to tell a picture from itself. Use --K ${2 ** Math.floor(Math.log2(Math.max(2, pictures / 2)))} or fewer.`);
  return warnings;
}
