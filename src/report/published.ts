import type { PretrainConfig } from '../moco/config.js';
import { presets } from '../moco/presets.js';

/** k-NN accuracies that others published for a configuration, by epoch, and how they were measured. */
export interface Published {
  name: string;
  points: (readonly [epoch: number, accuracy: number])[];
  /** What pictures were known by, and how many were trained on and measured. */
  by: 'features' | 'outputs';
  trained: number;
  measured: number;
}

/**
 * The log of the CIFAR-10 demonstration of facebookresearch/moco: k-NN of the 128 outputs of the head, on the test set.
 */
const cifarR18: Published = {
  name: 'MoCo’s CIFAR-10 demonstration, as published',
  points: [
    [1, 31.98],
    [2, 33.52],
    [3, 34.71],
    [5, 37.95],
    [10, 48.03],
    [15, 54.84],
    [20, 61.38],
    [30, 67.05],
    [40, 71.32],
    [50, 73.3],
    [60, 75],
    [80, 77.09],
    [100, 78.06],
    [120, 79.62],
    [140, 81.27],
    [160, 81.79],
    [180, 82.59],
    [200, 82.58],
  ].map(([epoch, percent]) => [epoch, percent / 100] as const),
  by: 'outputs',
  trained: 50_000,
  measured: 10_000,
};

/** What may differ without the curve being another's: the pictures held out, how k-NN is measured, the seed. */
const FREE: (keyof PretrainConfig)[] = ['heldOut', 'knnEvery', 'knnOutputs', 'seed'];

/** The published curve of a configuration on CIFAR-10, which has these ten classes; undefined where there is none. */
export function publishedKnn(config: PretrainConfig, classes: readonly string[] | undefined): Published | undefined {
  if (classes?.length !== 10 || !classes.includes('airplane')) return undefined;
  const preset = presets['cifar-r18'];
  const keys = Object.keys(preset) as (keyof PretrainConfig)[];
  const same = keys.every((key) => FREE.includes(key) || JSON.stringify(config[key]) === JSON.stringify(preset[key]));
  return same ? cifarR18 : undefined;
}

/** How a run was measured. */
export interface Protocol {
  trained: number;
  measured: number;
  /** Whether the pictures measured are a set of their own, and no part of those opened for training. */
  testSet: boolean;
  /** Whether k-NN by the head's outputs was measured too. */
  outputs: boolean;
}

/**
 * What sets a run's k-NN apart from a published curve, each in a few words; nothing where they compare like with like.
 */
export function differences({ by, trained, measured }: Published, run: Protocol): string[] {
  const count = (n: number) => n.toLocaleString('en-US');
  return [
    ...(run.trained === trained ? [] : [`it trained on ${count(trained)} pictures, this run on ${count(run.trained)}`]),
    ...(run.testSet
      ? []
      : [
          'it was measured on the test set, this run on a part of the training pictures that was held out ' +
            '(--test takes a set)',
        ]),
    ...(run.testSet && run.measured !== measured
      ? [`it was measured on ${count(measured)} pictures, this run on ${count(run.measured)}`]
      : []),
    ...(by === 'outputs' && !run.outputs
      ? [
          'it knows pictures by the outputs of the head, this run by the features before it (--knn-outputs ' +
            'measures both)',
        ]
      : []),
  ];
}
