import source from '../../kernels/adamw.wgsl';
import advanceSource from '../../kernels/adamw_advance.wgsl';
import type { Primitive } from '../backend/backend.js';
import { elementsLaunch } from '../backend/elements.js';
import { anything, atLeast0, below1, checkOptions, listOf, needed } from '../core/check.js';
import { kernel } from '../gpu/kernel.js';
import { widths } from '../gpu/widths.js';
import type { AdamWParams } from '../reference/adamw.js';
import { run } from '../tensor/run.js';
import { checkDType, checkSameShape, type Tensor } from '../tensor/tensor.js';
import { checkUpdate, type Guard, type Rate } from './update.js';

const [kernels, advance] = [widths('adamw', source), kernel('adamw_advance', advanceSource)];

/** [dw, lr, guard] -> [w, m, v, corrections] */
const primitive: Primitive<AdamWParams> = {
  name: 'adamw',
  gpu: ({ length, beta1, beta2, eps, weightDecay, scaled }) => {
    const rates = { rate1: 1 - beta1, rate2: 1 - beta2 };
    const constants = { SCALED: Number(scaled) };
    const update = {
      ...elementsLaunch(kernels, length, { ...rates, eps, weightDecay }, constants),
      bind: [0, 1, 2, 6, 3, 4, 5],
    };
    return { scratch: [], launches: [{ kernel: advance, constants, params: rates, groups: 1, bind: [2, 6] }, update] };
  },
};

/** Weight decay and moments of AdamW. */
export interface AdamWOptions {
  /** Taken off every parameter as lr · weightDecay · w, apart from the gradient. */
  weightDecay: number;
  /** Weights of the past in the means of the gradient and of its square. Default [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the root of the mean square. Default 1e-8. */
  eps?: number;
  guard?: Guard;
}

/** What one of several optimizer steps leaves behind, zeros before the first. */
export interface AdamWState {
  /** Mean of the gradient, of w's shape. */
  m: Tensor;
  /** Mean of its square, of w's shape. */
  v: Tensor;
  /** f32 [2]: 1 - beta^steps of both betas. On the device, so that a recorded step counts by itself. */
  corrections: Tensor;
}

/** What each option must be. */
export const adamwRules = { weightDecay: needed(atLeast0), betas: listOf(below1, 2), eps: atLeast0, guard: anything };

/**
 * One step of AdamW, in place, exactly as torch.optim.AdamW (Loshchilov and Hutter 2019, decoupled weight decay).
 *
 * @param w parameters, f32, for instance all of them in one flat tensor; `dw` their gradients.
 * @param lr the learning rate, a one-element tensor, so that it may change from step to step, or outside of compiled
 * functions a number.
 */
export function adamw(w: Tensor, dw: Tensor, state: AdamWState, lr: Rate, options: AdamWOptions): void {
  checkOptions('adamw', options, adamwRules);
  checkOptions('adamw: the state', state, { m: needed(anything), v: needed(anything), corrections: needed(anything) });
  const { weightDecay, betas: [beta1, beta2] = [0.9, 0.999], eps = 1e-8, guard } = options;
  const { m, v, corrections } = state;
  const rate = checkUpdate('adamw', w, { gradient: dw, 'mean of the gradient': m, 'mean of its square': v }, lr, guard);
  checkDType('adamw', corrections, 'f32');
  checkSameShape('adamw', 'corrections', corrections, [2]);
  run(primitive, [dw, rate, guard ?? rate], [w, m, v, corrections], {
    length: w.size,
    beta1,
    beta2,
    eps,
    weightDecay,
    scaled: guard !== undefined,
  });
}
