import { resnet } from '../../src/nn/resnet.js';
import type { Bench, Case } from '../record.js';
import { CLASSES, training } from '../training.js';
import { jaxStep, tfjsStep } from './resnet_peers.js';

/** Floating-point operations of a picture's forward pass at 32²; backward takes twice as many. */
const FORWARD: Record<string, number> = { resnet18: 1.11e9, 'resnet-tiny': 0.1e9 };

/**
 * A supervised step of ResNet for CIFAR: forward, backward, SGD with momentum. The loss after a step is compared.
 * Smaller pictures leave batch norm one or two values in the last stage, where roundings decide and no two libraries
 * agree.
 */
function supervised(name: string, N: number, H: number): Case {
  const shape = [N, H, H, 3];
  return {
    label: `${name}, batch ${N} of ${H}²`,
    flops: 3 * FORWARD[name] * N * (H / 32) ** 2,
    per: { name: 'picture', count: N },
    tolerance: 2e-3,
    before: 1,
    checked: true,
    ours: () => training(resnet(name, { stem: 'cifar', dim: CLASSES }), N, H),
    jax: (jax) => jaxStep(jax, shape, CLASSES),
    tfjs: (tf) => tfjsStep(tf, shape, CLASSES),
    small: () => supervised('resnet-tiny', 2, 8),
  };
}

export const bench: Bench = {
  name: 'resnet-step',
  goal: { tfjs: 3, jax: 2 },
  cases: (full) => (full ? [supervised('resnet18', 128, 32)] : [supervised('resnet18', 2, 16)]),
};
