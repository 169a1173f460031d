import { check, instance, whole } from '../core/check.js';
import type { Rng } from '../core/rng.js';
import { ReLU } from '../nn/activations.js';
import { BatchNorm } from '../nn/batch-norm.js';
import { Group } from '../nn/group.js';
import { Linear, Sequential } from '../nn/linear.js';
import { Module } from '../nn/module.js';
import { mul } from '../ops/binary.js';
import { ema } from '../ops/ema.js';
import { FlatParameters } from '../optim/flat.js';
import type { Optimizer } from '../optim/optimizer.js';
import { noGrad } from '../tensor/autograd.js';
import { type Tensor, view } from '../tensor/tensor.js';
import { builtBy, checkMethod, checkStep, methodRules, optimizerBy } from './check.js';
import { contrast } from './contrast.js';
import type { Chance, Measures, Method, Part, Rates, Saved } from './method.js';
import { both, inTurn, learn, meanOf } from './method.js';

export interface MoCoV3Options {
  /** Temperature of the softmax. */
  T: number;
  optimizer: (parameters: FlatParameters) => Optimizer;
}

/**
 * MoCo v3 (Chen, Xie, He, arXiv:2104.02057): no queue. Each view is query and key in turn, keys come from the
 * momentum encoder, and the negatives of a query are the other keys of its batch.
 */
export class MoCoV3 implements Method {
  readonly views = 2;
  /** A backbone with its projector. */
  readonly baseEncoder: Module;
  readonly momentumEncoder: Module;
  readonly predictor: Module;
  readonly optimizer: Optimizer;
  readonly #T: number;
  readonly #thetaB: Tensor;
  readonly #thetaM: Tensor;

  /** @param encoder builds a backbone with its projector; called twice, and must build the same both times. */
  constructor(encoder: () => Module, predictor: Module, options: MoCoV3Options) {
    checkMethod('MoCoV3', encoder, options, methodRules);
    check('MoCoV3', 'the predictor', predictor, instance(Module, 'Module'));
    const { T, optimizer } = options;
    this.baseEncoder = builtBy('MoCoV3', encoder);
    this.momentumEncoder = builtBy('MoCoV3', encoder);
    this.predictor = predictor;
    this.#thetaM = new FlatParameters(this.momentumEncoder, { gradients: false }).values;
    this.optimizer = optimizerBy('MoCoV3', optimizer, new Group({ base_encoder: this.baseEncoder, predictor }));
    this.optimizer.parameters.lossScale?.protect([this.baseEncoder, this.momentumEncoder, predictor], [this.#thetaM]);
    this.#thetaB = view(this.optimizer.parameters.values, this.#thetaM.shape); // the base encoder comes first
    this.#T = T;
  }

  get encoder(): Module {
    return this.baseEncoder;
  }

  step(parts: readonly Part[], rates: Rates): Tensor {
    const { lr, m } = checkStep('MoCoV3', parts, rates, ['x1', 'x2']);
    this.optimizer.parameters.lossScale?.keep();
    ema(this.#thetaM, this.#thetaB, m); // θ_m = m θ_m + (1 - m) θ_b
    const measured = meanOf(
      parts.map(inTurn(parts, (part) => learn(this.#compare(part), parts.length, this.optimizer))),
    );
    this.optimizer.step(lr);
    return measured;
  }

  #compare({ x1, x2 }: Part): Measures {
    const [q1, q2] = [x1, x2!].map((x) => this.predictor.call(this.baseEncoder.call(x))); // queries: N × dim
    const [k1, k2] = noGrad(() => [x1, x2!].map((x) => this.momentumEncoder.call(x))); // keys: N × dim
    return both(this.#loss(q1, k2), this.#loss(q2, k1));
  }

  /** 2T times the N-way cross-entropy, so that its gradient keeps its size as T changes. */
  #loss(q: Tensor, k: Tensor): Measures {
    const measures = contrast(q, k, this.#T);
    return { ...measures, loss: mul(measures.loss, 2 * this.#T) };
  }

  chance(N: number): Chance {
    check('chance', 'N', N, whole(1));
    return { loss: 4 * this.#T * Math.log(N), formula: '2 · 2T ln N', top1: 1 / N };
  }

  /** As facebookresearch/moco-v3 names them. */
  *saved(): Generator<Saved> {
    yield { prefix: 'base_encoder.', model: this.baseEncoder };
    yield { prefix: 'momentum_encoder.', model: this.momentumEncoder };
    yield { prefix: 'predictor.', model: this.predictor };
    yield { prefix: 'optimizer.', optimizer: this.optimizer };
  }
}

/** Layers of `widths` without bias, with batch norm and ReLU between; the last batch norm, if any, learns no scale. */
function perceptron(rng: Rng, widths: readonly number[], lastNorm: boolean): Sequential {
  const last = widths.length - 2;
  return new Sequential(
    ...widths.slice(1).flatMap((width, i) => {
      const linear = new Linear(widths[i], width, { bias: false, seed: rng });
      if (i < last) return [linear, new BatchNorm(width), new ReLU()];
      return lastNorm ? [linear, new BatchNorm(width, { affine: false })] : [linear];
    }),
  );
}

/** What follows a backbone of `features`: so many layers, two after a ResNet, three after a vision transformer. */
export const projector = (rng: Rng, features: number, hidden: number, dim: number, layers: number): Sequential =>
  perceptron(rng, [features, ...Array<number>(layers - 1).fill(hidden), dim], true);

/** What follows the projector of queries; it ends in a batch norm for vision transformers. */
export const predictor = (rng: Rng, hidden: number, dim: number, lastNorm: boolean): Sequential =>
  perceptron(rng, [dim, hidden, dim], lastNorm);
