import { backward } from '../../src/autograd.js';
import { compile } from '../../src/compile.js';
import { resnet } from '../../src/nn/resnet.js';
import { crossEntropy } from '../../src/ops/cross_entropy.js';
import { FlatParameters } from '../../src/optim/flat.js';
import { SGD } from '../../src/optim/sgd.js';
import { state, tensor } from '../../src/tensor.js';
import type { Bench, Case } from '../record.js';
import { labels, values } from '../values.js';
import { jaxStep, tfjsStep } from './resnet_peers.js';

const CLASSES = 10;

/** Floating-point operations of a picture's forward pass at 32²; backward takes twice as many. */
const FORWARD: Record<string, number> = { resnet18: 1.11e9, 'resnet-tiny': 0.1e9 };

/**
 * A supervised step of ResNet for CIFAR: forward, backward, SGD with momentum. The loss after a step is compared. Smaller
 * pictures leave batch norm one or two values in the last stage, where roundings decide and no two libraries agree.
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
    ours: () => {
      const model = resnet(name, { stem: 'cifar', dim: CLASSES });
      const optimizer = new SGD(new FlatParameters(model), { momentum: 0.9, weightDecay: 1e-4 });
      const [x, l, lr] = [state(tensor(values(shape), shape)), state(tensor(labels(N, CLASSES))), state(tensor([0.01]))];
      const step = compile(() => {
        const loss = crossEntropy(model.forward(x), l);
        backward(loss);
        optimizer.step(lr);
        return loss;
      });
      return () => [step()];
    },
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
