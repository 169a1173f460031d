import source from '../../kernels/softmax.wgsl';
import gradSource from '../../kernels/softmax_grad.wgsl';
import statsSource from '../../kernels/softmax_stats.wgsl';
import statsEndSource from '../../kernels/softmax_stats_end.wgsl';
import type { Primitive } from '../backend/backend.js';
import { kernel } from '../gpu/kernel.js';
import type { Rows } from '../reference/row_dot.js';
import { record } from '../tensor/autograd.js';
import { runTo } from '../tensor/run.js';
import { empty, floatType, type Tensor } from '../tensor/tensor.js';
import { rowDotLaunches, rowsOf, slotsOf } from './row_dot.js';

// one by one: bundlers drop those that a page does not use
const shader = kernel('softmax', source);
const gradShader = kernel('softmax_grad', gradSource);
const stats = kernel('softmax_stats', statsSource);
const statsEnd = kernel('softmax_stats_end', statsEndSource);

const threads = (n: number) => Math.ceil(n / 64);

/** [x] -> [stats]: the maximum and Σ exp(x - maximum) of every row. */
const statsPrimitive: Primitive<Rows> = {
  name: 'softmax_stats',
  gpu: (p, traits) => {
    const slots = slotsOf(p, traits);
    const first = { kernel: stats, params: { ...p, slots }, groups: threads(p.rows * slots) };
    if (slots === 1) return first;
    const end = { kernel: statsEnd, params: { rows: p.rows, slots }, groups: threads(p.rows), bind: [2, 1] };
    return { scratch: [2 * p.rows * slots], launches: [{ ...first, bind: [0, 2] }, end] };
  },
};

type Params = Rows & { log: boolean };

const primitive: Primitive<Params> = {
  name: 'softmax',
  gpu: ({ log, ...p }, traits) => {
    const slots = slotsOf(p, traits);
    return {
      kernel: shader,
      constants: { LOG: Number(log) },
      params: { ...p, slots },
      groups: threads(p.rows * slots),
    };
  },
};

/** [y, dy] -> [dx] */
const gradient: Primitive<Params> = {
  name: 'softmax_grad',
  gpu: ({ log, ...p }, traits) => {
    const slots = slotsOf(p, traits);
    const last = {
      kernel: gradShader,
      constants: { LOG: Number(log) },
      params: { ...p, slots },
      groups: threads(p.rows * slots),
      bind: [0, 1, 3, 2],
    };
    return { scratch: [p.rows, p.rows * slots], launches: [...rowDotLaunches(p, slots, [1, 0, 3, 4], log), last] };
  },
};

/** The maximum and Σ exp(x - maximum) of every row of x, [rows, 2]; no gradient. */
export function softmaxStats(x: Tensor, p: Rows): Tensor {
  return runTo(empty([p.rows, 2], 'f32', x.backend), statsPrimitive, [x], p);
}

function apply(name: string, x: Tensor, log: boolean): Tensor {
  const dtype = floatType(name, x);
  const p = { ...rowsOf(name, x.shape), log };
  const y = runTo(empty(x.shape, dtype, x.backend), primitive, [x, softmaxStats(x, p)], p);
  // softmax: dx = y (dy - Σ y dy); log softmax: dx = dy - exp(y) Σ dy
  return record(name, y, [x], (dy, [dx]) => [runTo(dx(), gradient, [y, dy], p)]);
}

/** y = exp(x) / Σ exp(x) over the last axis. Finite while differences of x are. */
export const softmax = (x: Tensor): Tensor => apply('softmax', x, false);

/** y = x - ln Σ exp(x) over the last axis. Finite while differences of x are. */
export const logSoftmax = (x: Tensor): Tensor => apply('logSoftmax', x, true);
