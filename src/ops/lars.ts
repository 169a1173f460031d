import source from '../../kernels/lars.wgsl';
import normsSource from '../../kernels/lars_norms.wgsl';
import ratiosSource from '../../kernels/lars_ratios.wgsl';
import type { Launch, Primitive } from '../backend/backend.js';
import {
  above0,
  anything,
  atLeast0,
  check,
  checkOptions,
  flag,
  isRecord,
  listOf,
  needed,
  whole,
} from '../core/check.js';
import { kernel } from '../gpu/kernel.js';
import type { LarsParams } from '../reference/lars.js';
import { run } from '../tensor/run.js';
import { checkDType, checkSameShape, type Tensor, tensor } from '../tensor/tensor.js';
import { checkUpdate, type Guard, type Rate } from './update.js';

const shared = (name: string, text: string) => ({
  1: kernel(name, text, { LANES: 1 }),
  64: kernel(name, text, { LANES: 64 }),
});
const [update, norms, ratios] = [
  kernel('lars', source),
  shared('lars_norms', normsSource),
  shared('lars_ratios', ratiosSource),
];

/** Elements of a chunk at most. */
const CHUNK = 8192;

/** [dw, lr, chunks, ranges, guard] -> [w, v] */
const primitive: Primitive<LarsParams & { chunks: number; tensors: number }> = {
  name: 'lars',
  gpu: ({ chunks, tensors, momentum, weightDecay, trust, scaled }, { software }) => {
    const constants = { SCALED: Number(scaled) };
    const lanes = software ? 1 : 64;
    const groups = (n: number) => Math.ceil((n * lanes) / 64);
    const launches: Launch[] = [
      {
        kernel: norms[lanes],
        constants,
        params: { chunks, weightDecay },
        groups: groups(chunks),
        bind: [2, 5, 0, 4, 7],
      },
      { kernel: ratios[lanes], params: { tensors, trust }, groups: groups(tensors), bind: [2, 3, 7, 8] },
      {
        kernel: update,
        constants,
        params: { chunks, momentum, weightDecay },
        groups: chunks,
        bind: [2, 8, 0, 1, 4, 5, 6],
      },
    ];
    return { scratch: [2 * chunks, tensors], launches };
  },
};

/** Where the tensors of a flat buffer lie, for kernels that treat each by itself. */
export interface LarsTable {
  /** u32 [chunks, 4]: start and length in vec4s, place of the tensor in `ranges`, 1 if it is decayed and adapted. */
  readonly chunks: Tensor;
  /** u32 [tensors, 2]: first chunk and number of chunks. */
  readonly ranges: Tensor;
}

const partRules = {
  start: needed({ is: 'a multiple of 4', holds: (v) => whole(0).holds(v) && v % 4 === 0 }),
  length: needed(whole(0)),
  adapted: needed(flag),
};

/**
 * Cuts tensors into chunks. Starts must be multiples of 4, and what lies between a tensor and the next multiple zeros.
 *
 * @param parts start and length of every tensor in elements, and whether it is decayed and adapted.
 */
export function larsTable(parts: readonly { start: number; length: number; adapted: boolean }[]): LarsTable {
  check('larsTable', 'the parts', parts, listOf({ is: 'an object', holds: isRecord }));
  for (const p of parts) checkOptions('larsTable', p, partRules);
  const chunks: number[] = [];
  const ranges: number[] = [];
  const filled = parts.filter((p) => p.length > 0);
  filled.forEach(({ start, length, adapted }, t) => {
    ranges.push(chunks.length / 4, Math.ceil(length / CHUNK));
    for (let at = 0; at < length; at += CHUNK)
      chunks.push((start + at) / 4, Math.ceil(Math.min(CHUNK, length - at) / 4), t, Number(adapted));
  });
  return { chunks: tensor(chunks, [chunks.length / 4, 4], 'u32'), ranges: tensor(ranges, [filled.length, 2], 'u32') };
}

/** Momentum, weight decay and trust of LARS. */
export interface LarsOptions {
  momentum: number;
  /** Added to the gradient of adapted tensors as weightDecay · w. */
  weightDecay: number;
  /** The trust coefficient. Default 0.001. */
  trust?: number;
  guard?: Guard;
}

/** What each option must be. */
export const larsRules = { momentum: needed(atLeast0), weightDecay: needed(atLeast0), trust: above0, guard: anything };

/**
 * One step of layer-wise adaptive rate scaling (You et al. 2017), in place, as MoCo v3 has it. For an adapted tensor
 * dp = dw + weightDecay w, times trust ‖w‖ / ‖dp‖ unless a norm is 0; for others dp = dw. v = momentum v + dp, w = w -
 * lr v.
 *
 * @param w parameters in one flat tensor; `dw` their gradients, `v` their velocity, zeros before the first step.
 * @param table where each tensor lies, from `larsTable`.
 * @param lr the learning rate, a one-element tensor, so that it may change from step to step, or outside of compiled
 * functions a number.
 */
export function lars(w: Tensor, dw: Tensor, v: Tensor, table: LarsTable, lr: Rate, options: LarsOptions): void {
  checkOptions('lars', options, larsRules);
  const { momentum, weightDecay, trust = 0.001, guard } = options;
  const rate = checkUpdate('lars', w, { gradient: dw, velocity: v }, lr, guard);
  checkOptions('lars: the table', table, { chunks: needed(anything), ranges: needed(anything) });
  for (const [t, columns] of [
    [table.chunks, 4],
    [table.ranges, 2],
  ] as const) {
    checkDType('lars', t, 'u32');
    checkSameShape('lars', 'the table', t, [t.shape[0], columns]);
  }
  const [chunks, tensors] = [table.chunks.shape[0], table.ranges.shape[0]];
  run(primitive, [dw, rate, table.chunks, table.ranges, guard ?? rate], [w, v], {
    chunks,
    tensors,
    momentum,
    weightDecay,
    trust,
    scaled: guard !== undefined,
  });
}
