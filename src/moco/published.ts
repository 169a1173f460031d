import type { PretrainConfig } from './config.js';
import { presets } from './presets.js';

/** k-NN accuracies that others published for a configuration, by epoch. */
export interface Published {
  name: string;
  points: (readonly [epoch: number, accuracy: number])[];
}

/** The log of the CIFAR-10 demonstration of facebookresearch/moco: k-NN of the head's outputs, 50 000 pictures in the bank. */
const cifarR18: Published = {
  name: 'MoCo’s CIFAR-10 demonstration, as published',
  points: [
    [1, 31.98], [2, 33.52], [3, 34.71], [5, 37.95], [10, 48.03], [15, 54.84], [20, 61.38], [30, 67.05], [40, 71.32], [50, 73.3], [60, 75],
    [80, 77.09], [100, 78.06], [120, 79.62], [140, 81.27], [160, 81.79], [180, 82.59], [200, 82.58],
  ].map(([epoch, percent]) => [epoch, percent / 100] as const),
};

/** What may differ without the curve being another's: the pictures kept back, how k-NN is watched, the seed. */
const FREE: (keyof PretrainConfig)[] = ['heldOut', 'knnEvery', 'seed'];

/** The published curve of a configuration on CIFAR-10, which has these ten classes; undefined where there is none. */
export function publishedKnn(config: PretrainConfig, classes: readonly string[] | undefined): Published | undefined {
  if (classes?.length !== 10 || !classes.includes('airplane')) return undefined;
  const preset = presets['cifar-r18'];
  const same = (Object.keys(preset) as (keyof PretrainConfig)[]).every((key) => FREE.includes(key) || JSON.stringify(config[key]) === JSON.stringify(preset[key]));
  return same ? cifarR18 : undefined;
}
