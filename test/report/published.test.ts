import { expect, it } from 'vitest';
import { CIFAR10_CLASSES } from '../../src/data/cifar.js';
import { presets } from '../../src/moco/presets.js';
import { differences, publishedKnn } from '../../src/report/published.js';

const cifar = presets['cifar-r18'];

it('a published curve belongs to its configuration and data alone', () => {
  expect(publishedKnn({ ...cifar, seed: 5, knnEvery: 1 }, CIFAR10_CLASSES)?.points.at(-1)).toEqual([200, 0.8258]);
  expect(publishedKnn({ ...cifar, K: 2048 }, CIFAR10_CLASSES)).toBeUndefined();
  expect(publishedKnn(cifar, ['cat', 'dog'])).toBeUndefined();
  expect(publishedKnn(cifar, undefined)).toBeUndefined();
});

it('tells what sets a run apart from the published curve, and nothing where both were measured alike', () => {
  const published = publishedKnn(cifar, CIFAR10_CLASSES)!;
  expect(differences(published, { trained: 50_000, measured: 10_000, testSet: true, outputs: true })).toEqual([]);
  expect(differences(published, { trained: 45_000, measured: 5000, testSet: false, outputs: false })).toEqual([
    'it trained on 50,000 pictures, this run on 45,000',
    'it was measured on the test set, this run on a part of the training pictures that was held out (--test ' +
      'takes a set)',
    'it knows pictures by the outputs of the head, this run by the features before it (--knn-outputs measures both)',
  ]);
  expect(differences(published, { trained: 50_000, measured: 2000, testSet: true, outputs: true })).toEqual([
    'it was measured on 10,000 pictures, this run on 2,000',
  ]);
});
