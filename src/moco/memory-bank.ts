import { needed, oneOf, whole } from '../core/check.js';
import type { Module } from '../nn/module.js';
import { bankWrite } from '../ops/bank_write.js';
import { add, mul, sub } from '../ops/binary.js';
import { gather } from '../ops/gather.js';
import { infoNce } from '../ops/info_nce.js';
import { l2Normalize } from '../ops/l2_normalize.js';
import type { FlatParameters } from '../optim/flat.js';
import type { Optimizer } from '../optim/optimizer.js';
import { zeros } from '../tensor/fill.js';
import { state, type Tensor } from '../tensor/tensor.js';
import { builtBy, checkMethod, checkStep, memoryRules, optimizerBy } from './check.js';
import { classify } from './contrast.js';
import type { Chance, Measures, Method, Part, Rates, Saved } from './method.js';
import { inTurn, learn, meanOf, randomKeys } from './method.js';
import { nce } from './nce.js';

export interface MemoryBankOptions {
  /** Pictures in the data set: rows of the bank. */
  pictures: number;
  /** Rows sampled as negatives in each step, with replacement: all its queries share them, as they do MoCo's queue. */
  K: number;
  /** Temperature of the softmax. */
  T: number;
  dim: number;
  /** `softmax` over the own row and the K negatives, `nce` with the same rows, or the `full` softmax over all rows. */
  loss: 'softmax' | 'nce' | 'full';
  optimizer: (parameters: FlatParameters) => Optimizer;
  seed: number;
}

/**
 * The memory bank that MoCo is compared with (Wu et al., arXiv:1805.01978; MoCo's figure 2b): one row a picture,
 * the mean of its past representations. A query is to find the row of its own picture.
 */
export class MemoryBank implements Method {
  readonly views = 1;
  readonly encoder: Module;
  readonly optimizer: Optimizer;
  /** f32 [pictures, dim], rows of length 1; random to begin with. */
  readonly bank: Tensor;
  /** f32 [1], the constant of NCE, set by the first batch. */
  readonly Z: Tensor;
  readonly sampled?: number;
  readonly #options: MemoryBankOptions;

  constructor(encoder: () => Module, options: MemoryBankOptions) {
    const own = { pictures: needed(whole(1)), loss: needed(oneOf('softmax', 'nce', 'full')) };
    checkMethod('MemoryBank', encoder, options, { ...memoryRules, ...own });
    const { pictures, K, dim, loss, optimizer, seed } = options;
    this.encoder = builtBy('MemoryBank', encoder);
    this.optimizer = optimizerBy('MemoryBank', optimizer, this.encoder);
    this.bank = randomKeys(pictures, dim, seed);
    this.Z = state(zeros([1]));
    this.sampled = loss === 'full' ? undefined : K;
    this.optimizer.parameters.lossScale?.protect([this.encoder], [this.Z]);
    this.#options = options;
  }

  step(parts: readonly Part[], rates: Rates): Tensor {
    const needs = ['x1', 'index', ...(this.sampled ? ['negatives' as const] : [])] as const;
    const { lr, m } = checkStep('MemoryBank', parts, rates, needs);
    const { lossScale } = this.optimizer.parameters;
    lossScale?.keep();
    const learned = parts.map(inTurn(parts, (part) => learn(this.#lookUp(part), parts.length, this.optimizer)));
    const measured = meanOf(learned);
    this.optimizer.step(lr);
    parts.forEach(({ index }, i) => {
      const own = gather(this.bank, index);
      const moved = l2Normalize(add(mul(own, m), mul(learned[i].keys!, sub(1, m)))); // w = m w + (1 - m) v
      bankWrite(this.bank, moved, index, lossScale?.guard);
    });
    return measured;
  }

  #lookUp(part: Part): Measures {
    const v = l2Normalize(this.encoder.call(part.x1)); // N × dim
    return { ...this.#loss(v, part), keys: v };
  }

  #loss(v: Tensor, { index, negatives }: Part): Measures {
    const { T, loss, pictures } = this.#options;
    if (loss === 'full') return classify(v, this.bank, T, index);
    const [own, others] = [gather(this.bank, index), gather(this.bank, negatives!)];
    return loss === 'softmax' ? infoNce(v, own, others, T) : nce(v, own, others, T, pictures, this.Z);
  }

  chance(): Chance {
    const { K, loss, pictures } = this.#options;
    if (loss === 'full') return { loss: Math.log(pictures), formula: 'ln n', top1: 1 / pictures };
    const top1 = 1 / (K + 1);
    if (loss === 'softmax') return { loss: Math.log(K + 1), formula: 'ln(K+1)', top1 };
    return { loss: Math.log(K + 1) + K * Math.log(1 + 1 / K), formula: 'ln(K+1) + K ln(1 + 1/K)', top1 };
  }

  /** What a checkpoint must hold. */
  *saved(): Generator<Saved> {
    yield { prefix: 'encoder.', model: this.encoder };
    yield { name: 'memory', tensor: this.bank };
    if (this.#options.loss === 'nce') yield { name: 'Z', tensor: this.Z };
    yield { prefix: 'optimizer.', optimizer: this.optimizer };
  }
}
