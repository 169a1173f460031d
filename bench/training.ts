import { compile } from '../src/compile/compile.js';
import type { Module } from '../src/nn/module.js';
import { crossEntropy } from '../src/ops/cross_entropy.js';
import { FlatParameters } from '../src/optim/flat.js';
import { SGD } from '../src/optim/sgd.js';
import { backward } from '../src/tensor/autograd.js';
import { state, type Tensor, tensor } from '../src/tensor/tensor.js';
import type { Work } from './record.js';
import { labels, values } from './values.js';

export const CLASSES = 10;

/**
 * A supervised step of a classifier of CLASSES classes on N pictures: forward, backward, SGD with momentum. Returns its
 * loss.
 */
export function training(model: Module & { forward(x: Tensor): Tensor }, N: number, side: number): Work<Tensor> {
  const optimizer = new SGD(new FlatParameters(model), { momentum: 0.9, weightDecay: 1e-4 });
  const shape = [N, side, side, 3];
  const [x, l, lr] = [state(tensor(values(shape), shape)), state(tensor(labels(N, CLASSES))), state(tensor([0.01]))];
  const step = compile(() => {
    const loss = crossEntropy(model.call(x), l);
    backward(loss);
    optimizer.step(lr);
    return loss;
  });
  return () => [step()];
}
