import { compile } from '../../src/compile/compile.js';
import { MoCo } from '../../src/moco/moco.js';
import { resnet } from '../../src/nn/resnet.js';
import { withPrecision } from '../../src/ops/precision.js';
import { slice } from '../../src/ops/strided.js';
import { LossScale } from '../../src/optim/loss-scale.js';
import { SGD } from '../../src/optim/sgd.js';
import { state, tensor } from '../../src/tensor/tensor.js';
import type { Bench, Case } from '../record.js';
import { values } from '../values.js';

interface Sizes {
  name: string;
  stem: 'imagenet' | 'cifar';
  N: number;
  H: number;
  K: number;
  /** Floating-point operations of a picture's forward pass. */
  forward: number;
  /** Activations and their gradients are halves, where the adapter has them, and the loss is scaled. */
  half?: boolean;
}

/**
 * A MoCo v2 step on views that are on the device: forward and backward of the queries, forward of the keys, loss,
 * updates.
 */
function mocoStep({ name, stem, N, H, K, forward, half = false }: Sizes): Case {
  const shape = [N, H, H, 3];
  return {
    label: `${name}, batch ${N} of ${H}², K ${K}${half ? ', f16' : ''}`,
    flops: 4 * forward * N + 4 * N * K * 128,
    per: { name: 'picture', count: N },
    tolerance: half ? 2e-2 : 2e-3,
    before: 1,
    ours: () => {
      const moco = new MoCo(() => resnet(name, { stem, head: 'mlp', dim: 128 }), {
        K,
        T: 0.2,
        dim: 128,
        seed: 0,
        optimizer: (p) =>
          new SGD(Object.assign(p, half && { lossScale: new LossScale() }), { momentum: 0.9, weightDecay: 1e-4 }),
      });
      const [lr, m] = [0.03, 0.999].map((v) => state(tensor([v])));
      const [x1, x2] = [1, 2].map((seed) => state(tensor(values(shape, seed), shape)));
      const [index, shuffle] = [(i: number) => i, (i: number) => N - 1 - i].map((f) =>
        state(tensor(Uint32Array.from({ length: N }, (_, i) => f(i)))),
      );
      const step = compile(() =>
        withPrecision(half ? 'f16' : 'f32', () =>
          moco.step([{ x1, x2, index, shuffle, unshuffle: shuffle }], { lr, m }),
        ),
      );
      return () => [half ? slice(step(), 0, 0, 1) : step()]; // the loss alone: rounding decides about near ties
    },
    small: () => mocoStep({ name: 'resnet-tiny', stem: 'cifar', N: 2, H: 8, K: 16, forward: 0, half }),
  };
}

const why = 'has no MoCo; see resnet-step and bench/pytorch.py';
export const bench: Bench = {
  name: 'moco-step',
  lacks: { tfjs: `tfjs ${why}`, jax: `jax-js ${why}` },
  cases: (full) =>
    full
      ? [
          mocoStep({ name: 'resnet18', stem: 'cifar', N: 512, H: 32, K: 4096, forward: 1.11e9 }),
          ...[false, true].map((half) =>
            mocoStep({ name: 'resnet50', stem: 'imagenet', N: 256, H: 224, K: 65536, forward: 8.2e9, half }),
          ),
        ]
      : [mocoStep({ name: 'resnet18', stem: 'cifar', N: 4, H: 16, K: 4096, forward: 0.28e9 })],
};
