import { check, flag, needed, whole } from '../core/check.js';
import { Group } from '../nn/group.js';
import type { Module } from '../nn/module.js';
import { gather } from '../ops/gather.js';
import type { FlatParameters } from '../optim/flat.js';
import type { Optimizer } from '../optim/optimizer.js';
import type { Tensor } from '../tensor/tensor.js';
import { builtBy, checkMethod, checkStep, methodRules, optimizerBy } from './check.js';
import { contrast } from './contrast.js';
import type { Chance, Measures, Method, Part, Rates, Saved } from './method.js';
import { inTurn, learn, meanOf } from './method.js';

export interface EndToEndOptions {
  /** Temperature of the softmax. */
  T: number;
  /** One encoder for queries and keys, or two that are both trained. */
  shared: boolean;
  optimizer: (parameters: FlatParameters) => Optimizer;
}

/**
 * The end-to-end mechanism that MoCo is compared with (He et al., arXiv:1911.05722, figure 2a): the dictionary is
 * the batch itself, N keys with N - 1 negatives for each query, and gradients flow through the keys too.
 */
export class EndToEnd implements Method {
  readonly views = 2;
  readonly encoderQ: Module;
  readonly encoderK: Module;
  readonly optimizer: Optimizer;
  readonly #T: number;

  /** @param encoder builds an encoder [N, H, W, 3] -> [N, dim]; called once for each encoder. */
  constructor(encoder: () => Module, options: EndToEndOptions) {
    checkMethod('EndToEnd', encoder, options, { ...methodRules, shared: needed(flag) });
    const { T, shared, optimizer } = options;
    this.encoderQ = builtBy('EndToEnd', encoder);
    this.encoderK = shared ? this.encoderQ : builtBy('EndToEnd', encoder);
    const trained = new Group({ encoder_q: this.encoderQ, ...(!shared && { encoder_k: this.encoderK }) });
    this.optimizer = optimizerBy('EndToEnd', optimizer, trained);
    this.optimizer.parameters.lossScale?.protect([this.encoderQ, this.encoderK]);
    this.#T = T;
  }

  get encoder(): Module {
    return this.encoderQ;
  }

  step(parts: readonly Part[], rates: Rates): Tensor {
    const { lr } = checkStep('EndToEnd', parts, rates, ['x1', 'x2', 'shuffle', 'unshuffle'], false);
    this.optimizer.parameters.lossScale?.keep();
    const measured = meanOf(
      parts.map(inTurn(parts, (part) => learn(this.#compare(part), parts.length, this.optimizer))),
    );
    this.optimizer.step(lr);
    return measured;
  }

  #compare({ x1, x2, shuffle, unshuffle }: Part): Measures {
    const q = this.encoderQ.call(x1); // queries: N × dim
    const k = gather(this.encoderK.call(gather(x2!, shuffle)), unshuffle); // keys: N × dim
    return contrast(q, k, this.#T); // N-way softmax, positives on the diagonal
  }

  chance(N: number): Chance {
    check('chance', 'N', N, whole(1));
    return { loss: Math.log(N), formula: 'ln N', top1: 1 / N };
  }

  /** What a checkpoint must hold. */
  *saved(): Generator<Saved> {
    yield { prefix: 'encoder_q.', model: this.encoderQ };
    if (this.encoderK !== this.encoderQ) yield { prefix: 'encoder_k.', model: this.encoderK };
    yield { prefix: 'optimizer.', optimizer: this.optimizer };
  }
}
