import { backward, noGrad } from '../autograd.js';
import { ConfigError } from '../core/errors.js';
import { Rng } from '../core/rng.js';
import type { Module } from '../nn/module.js';
import { concat } from '../ops/strided.js';
import { ema } from '../ops/ema.js';
import { gather } from '../ops/gather.js';
import { infoNce } from '../ops/info_nce.js';
import { l2Normalize } from '../ops/l2_normalize.js';
import { queueWrite } from '../ops/queue_write.js';
import { reshape } from '../ops/reshape.js';
import { FlatParameters } from '../optim/flat.js';
import { SGD } from '../optim/sgd.js';
import { state, type Tensor, tensor } from '../tensor.js';

export interface MoCoOptions {
  /** Keys in the queue. */
  K: number;
  /** Momentum of the key encoder. */
  m: number;
  /** Temperature of the softmax. */
  T: number;
  /** Size of queries and keys. */
  dim: number;
  momentum: number;
  weightDecay: number;
  seed: number;
}

/** The two views of a batch. Keys may come in another order, so that batch norm cannot leak which belong together. */
export interface Views {
  /** f32 [N, H, W, 3], the queries' view. */
  xQ: Tensor;
  /** f32 [N, H, W, 3], the keys' view, shuffled. */
  xK: Tensor;
  /** u32 [N]: where in xK the key of each query is. */
  unshuffle: Tensor;
}

/**
 * Momentum Contrast (He et al., arXiv:1911.05722; v2: Chen et al., arXiv:2003.04297).
 * One dictionary look-up a step: each query is to find its positive key among the keys of past batches.
 */
export class MoCo {
  readonly encoderQ: Module;
  readonly encoderK: Module;
  /** f32 [K, dim], past keys, each of length 1; random to begin with. */
  readonly queue: Tensor;
  /** u32 [1], the row that the next key overwrites. */
  readonly pointer: Tensor;
  readonly optimizer: SGD;
  readonly #lr: Tensor;
  readonly #m: Tensor;
  readonly #T: number;
  readonly #keyParameters: FlatParameters;

  /** @param encoder builds an encoder [N, H, W, 3] -> [N, dim]; called twice, and must build the same both times. */
  constructor(encoder: () => Module, { K, m, T, dim, momentum, weightDecay, seed }: MoCoOptions) {
    if (!(Number.isInteger(K) && K > 0)) throw new ConfigError(`MoCo: the queue holds a whole number of keys above 0; got ${K}. MoCo uses 65536, or 4096 for CIFAR.`);
    if (!(m >= 0 && m <= 1)) throw new ConfigError(`MoCo: the momentum m lies in [0, 1]; got ${m}. MoCo uses 0.999.`);
    this.encoderQ = encoder();
    this.encoderK = encoder();
    this.#keyParameters = new FlatParameters(this.encoderK, { gradients: false });
    this.optimizer = new SGD(new FlatParameters(this.encoderQ), { momentum, weightDecay });
    this.queue = state(randomKeys(K, dim, seed));
    this.pointer = state(tensor([0], [1], 'u32'));
    this.#lr = state(tensor([0]));
    this.#m = state(tensor([m]));
    this.#T = T;
  }

  /** Learning rate of the steps to come. */
  set lr(value: number) {
    this.#lr.set([value]);
  }

  /** One training step. Returns f32 [3]: the loss, and how often the positive is first and among the first five. */
  step({ xQ, xK, unshuffle }: Views): Tensor {
    const q = l2Normalize(this.encoderQ.forward(xQ)); // queries: N × dim
    const k = noGrad(() => {
      ema(this.#keyParameters.values, this.optimizer.parameters.values, this.#m); // θ_k = m θ_k + (1 - m) θ_q
      return gather(l2Normalize(this.encoderK.forward(xK)), unshuffle); // keys: N × dim
    });
    const { loss, top1, top5 } = infoNce(q, k, this.queue, this.#T); // (K + 1)-way softmax, positive first
    backward(loss);
    this.optimizer.step(this.#lr);
    queueWrite(this.queue, k, this.pointer); // the newest keys replace the oldest
    return concat([loss, top1, top5].map((x) => reshape(x, [1])));
  }
}

/** Rows of length 1 in random directions. */
function randomKeys(K: number, dim: number, seed: number): Tensor {
  const rng = new Rng(seed, 'queue');
  const rows = new Float32Array(K * dim);
  for (let i = 0; i < K; i++) {
    const row = Array.from({ length: dim }, () => rng.normal());
    const length = Math.hypot(...row);
    rows.set(row.map((v) => v / length), i * dim);
  }
  return tensor(rows, [K, dim]);
}
