import { flag } from '../core/check.js';
import type { Module } from '../nn/module.js';
import { ema } from '../ops/ema.js';
import { gather } from '../ops/gather.js';
import { infoNce } from '../ops/info_nce.js';
import { l2Normalize } from '../ops/l2_normalize.js';
import { queueWrite } from '../ops/queue_write.js';
import { concat } from '../ops/strided.js';
import { FlatParameters } from '../optim/flat.js';
import type { Optimizer } from '../optim/optimizer.js';
import { noGrad } from '../tensor/autograd.js';
import { state, type Tensor, tensor } from '../tensor/tensor.js';
import { builtBy, checkMethod, checkStep, memoryRules, optimizerBy } from './check.js';
import type { Chance, Measures, Method, Part, Rates, Saved } from './method.js';
import { both, inTurn, learn, meanOf, randomKeys } from './method.js';

/** What MoCo v1 and v2 differ in, and its optimizer. */
export interface MoCoOptions {
  /** Keys in the queue. */
  K: number;
  /** Temperature of the softmax. */
  T: number;
  /** Size of queries and keys. */
  dim: number;
  /** Each view is query and key in turn, and the losses add up. */
  symmetric?: boolean;
  /** Makes the optimizer of the query encoder, given its parameters. */
  optimizer: (parameters: FlatParameters) => Optimizer;
  seed: number;
}

/**
 * Momentum Contrast (He et al., arXiv:1911.05722; v2: Chen et al., arXiv:2003.04297).
 * One dictionary look-up a step: each query is to find its positive key among the keys of past batches.
 */
export class MoCo implements Method {
  readonly views = 2;
  readonly encoderQ: Module;
  readonly encoderK: Module;
  /** f32 [K, dim], past keys, each of length 1; random to begin with. */
  readonly queue: Tensor;
  /** u32 [1], the row that the next key overwrites. */
  readonly pointer: Tensor;
  readonly optimizer: Optimizer;
  readonly #options: MoCoOptions;
  readonly #keyParameters: FlatParameters;

  /** @param encoder builds an encoder [N, H, W, 3] -> [N, dim]; called twice, and must build the same both times. */
  constructor(encoder: () => Module, options: MoCoOptions) {
    checkMethod('MoCo', encoder, options, { ...memoryRules, symmetric: flag });
    const { K, dim, optimizer, seed } = options;
    this.encoderQ = builtBy('MoCo', encoder);
    this.encoderK = builtBy('MoCo', encoder);
    this.#keyParameters = new FlatParameters(this.encoderK, { gradients: false });
    this.optimizer = optimizerBy('MoCo', optimizer, this.encoderQ);
    this.optimizer.parameters.lossScale?.protect([this.encoderQ, this.encoderK], [this.#keyParameters.values]);
    this.queue = randomKeys(K, dim, seed);
    this.pointer = state(tensor([0], [1], 'u32'));
    this.#options = options;
  }

  get encoder(): Module {
    return this.encoderQ;
  }

  step(parts: readonly Part[], rates: Rates): Tensor {
    const { lr, m } = checkStep('MoCo', parts, rates, ['x1', 'x2', 'shuffle', 'unshuffle']);
    const { values, lossScale } = this.optimizer.parameters;
    lossScale?.keep();
    ema(this.#keyParameters.values, values, m); // θ_k = m θ_k + (1 - m) θ_q
    const learned = parts.map(inTurn(parts, (part) => learn(this.#look(part), parts.length, this.optimizer)));
    const measured = meanOf(learned);
    this.optimizer.step(lr);
    const keys = concat(learned.map((part) => part.keys!));
    queueWrite(this.queue, keys, this.pointer, lossScale?.guard); // the newest keys replace the oldest
    return measured;
  }

  #look(part: Part): Measures {
    const there = this.#lookUp(part.x1, part.x2!, part);
    return this.#options.symmetric ? both(there, this.#lookUp(part.x2!, part.x1, part)) : there;
  }

  #lookUp(xQ: Tensor, xK: Tensor, { shuffle, unshuffle }: Part): Measures {
    const q = l2Normalize(this.encoderQ.call(xQ)); // queries: N × dim
    const k = noGrad(() => gather(l2Normalize(this.encoderK.call(gather(xK, shuffle))), unshuffle)); // keys: N × dim
    return { ...infoNce(q, k, this.queue, this.#options.T), keys: k }; // (K + 1)-way softmax, positive first
  }

  chance(): Chance {
    const { K, symmetric } = this.#options;
    const [loss, top1] = [Math.log(K + 1), 1 / (K + 1)];
    return symmetric ? { loss: 2 * loss, formula: '2 ln(K+1)', top1 } : { loss, formula: 'ln(K+1)', top1 };
  }

  /** As facebookresearch/moco names them. */
  *saved(): Generator<Saved> {
    yield { prefix: 'encoder_q.', model: this.encoderQ };
    yield { prefix: 'encoder_k.', model: this.encoderK };
    yield { name: 'queue', tensor: this.queue, turned: true };
    yield { name: 'queue_ptr', count: this.pointer };
    yield { prefix: 'optimizer.', optimizer: this.optimizer };
  }
}
