import source from '../../kernels/loss_scale.wgsl';
import foundSource from '../../kernels/loss_scale_found.wgsl';
import type { Launch, Primitive } from '../backend/backend.js';
import { anything, checkOptions, finite, whole } from '../core/check.js';
import { kernel } from '../gpu/kernel.js';
import { widthOf, widths } from '../gpu/widths.js';
import type { LossScaleParams } from '../reference/loss_scale.js';
import { run } from '../tensor/run.js';
import { checkDType, checkSameShape, type Tensor } from '../tensor/tensor.js';
import type { Guard } from './update.js';

const [found, update] = [widths('loss_scale_found', foundSource), kernel('loss_scale', source)];

/** [dw, statistics] -> [state, guard] */
const primitive: Primitive<LossScaleParams> = {
  name: 'loss_scale',
  gpu: ({ length, statistics, ...rates }, { parallelGroups }) => {
    const width = Math.min(widthOf(length), widthOf(statistics)) as 1 | 4;
    const threads = Math.max(1, Math.min(64 * parallelGroups, Math.ceil(length / width)));
    const launches: Launch[] = [
      {
        kernel: found[width],
        params: { length: length / width, statistics: statistics / width, threads },
        groups: Math.ceil(threads / 64),
        bind: [0, 1, 4],
      },
      { kernel: update, params: { threads, ...rates }, groups: 1, bind: [4, 2, 3] },
    ];
    return { scratch: [threads], launches };
  },
};

/** When a scale changes and how. */
export interface LossScaleOptions {
  /** Good steps in a row after which the scale grows. Default 2000. */
  interval?: number;
  /** Factors of the scale after so many good steps, and after a bad one. Default 2 and 0.5. */
  growth?: number;
  backoff?: number;
}

interface Tested extends LossScaleOptions {
  /** f32: others that a step may spoil, tested like gradients. */
  statistics?: Tensor;
}

/** What each option must be. */
export const lossScaleRules = {
  interval: whole(1, 2 ** 24),
  growth: finite(', at least 1', (v) => v >= 1),
  backoff: finite(' above 0 and below 1', (v) => v > 0 && v < 1),
};

/**
 * Where a scale stays: its inverse is a normal float, and no gradient becomes infinite by a scale that nothing tests.
 */
export const LEAST_SCALE = 2 ** -24;
const MOST = 2 ** 32;

/**
 * Tests the gradients of a scaled loss, in place and on the device, so that a recorded step decides for itself: whether
 * one is infinite or no number, by its bits. Rules and defaults are torch.amp.GradScaler's.
 *
 * @param dw every gradient, f32.
 * @param state f32 [4]: the scale, good steps since it last changed, steps skipped in all, and those in a row up to
 * now.
 * @param guard f32 [1]: becomes 1 / scale, or 0 for a step to skip; optimizers take it, `queueWrite`, `bankWrite` and
 * `restore`.
 */
export function lossScale(dw: Tensor, state: Tensor, guard: Guard, options: Tested = {}): void {
  checkOptions('lossScale', options, { ...lossScaleRules, statistics: anything });
  const { interval = 2000, growth = 2, backoff = 0.5, statistics = dw } = options;
  for (const x of [dw, statistics, state, guard]) checkDType('lossScale', x, 'f32');
  checkSameShape('lossScale', 'the state', state, [4]);
  checkSameShape('lossScale', 'the guard', guard, [1]);
  const sizes = { length: dw.size, statistics: options.statistics ? statistics.size : 0 };
  run(primitive, [dw, statistics], [state, guard], {
    ...sizes,
    interval,
    growth,
    backoff,
    least: LEAST_SCALE,
    most: MOST,
  });
}
