import { expect, it } from 'vitest';
import { CIFAR10_CLASSES } from '../../src/data/cifar.js';
import { presets } from '../../src/moco/presets.js';
import { publishedKnn } from '../../src/moco/published.js';

it('a published curve belongs to its configuration and data alone', () => {
  const cifar = presets['cifar-r18'];
  expect(publishedKnn({ ...cifar, seed: 5, knnEvery: 1 }, CIFAR10_CLASSES)?.points.at(-1)).toEqual([200, 0.8258]);
  expect(publishedKnn({ ...cifar, K: 2048 }, CIFAR10_CLASSES)).toBeUndefined();
  expect(publishedKnn(cifar, ['cat', 'dog'])).toBeUndefined();
  expect(publishedKnn(cifar, undefined)).toBeUndefined();
});
