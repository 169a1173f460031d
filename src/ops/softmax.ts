import source from '../../kernels/softmax.wgsl';
import gradSource from '../../kernels/softmax_grad.wgsl';
import statsSource from '../../kernels/softmax_stats.wgsl';
import statsEndSource from '../../kernels/softmax_stats_end.wgsl';
import type { Launch, Plan, Primitive } from '../backend/backend.js';
import { onDemand } from '../backend/variants.js';
import type { Traits } from '../gpu/device.js';
import { kernel } from '../gpu/kernel.js';
import type { Tuning } from '../gpu/preprocess.js';
import { widthOf } from '../gpu/widths.js';
import type { Rows } from '../reference/row_dot.js';
import { record } from '../tensor/autograd.js';
import { runTo } from '../tensor/run.js';
import { empty, floatType, type Tensor } from '../tensor/tensor.js';
import { rowDotLaunches, rowsOf, slotsOf } from './row_dot.js';
import { laneGroups, lanesFor, lanesKernels, onCards } from './row_lanes.js';

// one by one: bundlers drop those that a page does not use
const shader = kernel('softmax', source);
const gradShader = kernel('softmax_grad', gradSource);
const stats = kernel('softmax_stats', statsSource);
const statsEnd = kernel('softmax_stats_end', statsEndSource);
const sharedEnd = kernel('softmax_stats_end', statsEndSource, { LANES: 32 });
const cards = onDemand(onCards, () => import('./softmax_cards.js'));
const lanesShaders = lanesKernels('softmax_lanes', () => cards.loaded!.lanes);
const lanesGradShaders = lanesKernels('softmax_lanes_grad', () => cards.loaded!.grad);

const threads = (n: number) => Math.ceil(n / 64);

type Params = Rows & { log: boolean };

/** Values of a row that a workgroup holds in registers, by their width. */
const HELD = { 1: 4096, 4: 8192 };

/** Whether rows are held in registers: on graphics cards. */
const isHeld = ({ C }: Rows, { software }: Traits): boolean => !software && C > 0 && cards.loaded !== undefined;

/** Rows in registers: how many slices a row is, and their launch; `tuning` says what it gives. */
function inLanes({ rows, C, log }: Params, tuning: Tuning = {}): { slices: number; launch: Launch } {
  const width = widthOf(C);
  const slices = Math.ceil(C / HELD[width]);
  const lanes = lanesFor(Math.min(C, HELD[width]) / width);
  const launch = {
    kernel: lanesShaders({ ...lanes, ...tuning })[width],
    constants: { LOG: Number(log) },
    params: { rows, C: C / width, slices },
    groups: laneGroups(rows * slices, lanes.LANES),
  };
  return { slices, launch };
}

/**
 * The launches from place `x` to `y`, the maximum and Σ exp(x - maximum) of every row, with scratch from `more` on.
 */
function statsPlan(p: Rows, traits: Traits, [x, y, more]: readonly number[]): Plan {
  const inRegisters = isHeld(p, traits) ? inLanes({ ...p, log: false }, { GIVES: 1 }) : undefined;
  const slots = inRegisters ? inRegisters.slices : slotsOf(p, traits);
  const first = inRegisters?.launch ?? { kernel: stats, params: { ...p, slots }, groups: threads(p.rows * slots) };
  if (slots === 1) return { scratch: [], launches: [{ ...first, bind: [x, y] }] };
  const end = traits.software
    ? { kernel: statsEnd, groups: threads(p.rows) }
    : { kernel: sharedEnd, groups: threads(32 * p.rows) };
  const launches = [
    { ...first, bind: [x, more] },
    { ...end, params: { rows: p.rows, slots }, bind: [more, y] },
  ];
  return { scratch: [2 * p.rows * slots], launches };
}

/** [x] -> [stats] */
const statsPrimitive: Primitive<Rows> = {
  name: 'softmax_stats',
  gpu: (p, traits) => statsPlan(p, traits, [0, 1, 2]),
};

/** [x] -> [y] */
const primitive: Primitive<Params> = {
  name: 'softmax',
  gpu: ({ log, ...p }, traits) => {
    if (isHeld(p, traits) && inLanes({ ...p, log }).slices === 1) return inLanes({ ...p, log }).launch;
    const first = statsPlan(p, traits, [0, 2, 3]);
    const slots = slotsOf(p, traits);
    const last = isHeld(p, traits)
      ? { ...inLanes({ ...p, log }, { TAKES: 1 }).launch, bind: [0, 1, 2] }
      : {
          kernel: shader,
          constants: { LOG: Number(log) },
          params: { ...p, slots },
          groups: threads(p.rows * slots),
          bind: [0, 2, 1],
        };
    return { scratch: [2 * p.rows, ...first.scratch], launches: [...first.launches, last] };
  },
};

/** [y, dy] -> [dx] */
const gradient: Primitive<Params> = {
  name: 'softmax_grad',
  gpu: ({ log, ...p }, traits) => {
    const constants = { LOG: Number(log) };
    const width = widthOf(p.C);
    if (isHeld(p, traits) && p.C <= HELD[width] / 2) {
      const lanes = lanesFor(p.C / width);
      const params = { rows: p.rows, C: p.C / width };
      const groups = laneGroups(p.rows, lanes.LANES);
      return { kernel: lanesGradShaders(lanes)[width], constants, params, groups };
    }
    const slots = slotsOf(p, traits);
    const params = { ...p, slots };
    const last = { kernel: gradShader, constants, params, groups: threads(p.rows * slots), bind: [0, 1, 3, 2] };
    const sums = rowDotLaunches(p, slots, [1, 0, 3, 4], traits, log);
    return { scratch: [p.rows, p.rows * slots], launches: [...sums, last] };
  },
};

/** The maximum and Σ exp(x - maximum) of every row of x, [rows, 2]; no gradient. */
export function softmaxStats(x: Tensor, p: Rows): Tensor {
  return runTo(empty([p.rows, 2], 'f32', x.backend), statsPrimitive, [x], p);
}

function apply(name: string, x: Tensor, log: boolean): Tensor {
  const dtype = floatType(name, x);
  const p = { ...rowsOf(name, x.shape), log };
  const y = runTo(empty(x.shape, dtype, x.backend), primitive, [x], p);
  // softmax: dx = y (dy - Σ y dy); log softmax: dx = dy - exp(y) Σ dy
  return record(name, y, [x], (dy, [dx]) => [runTo(dx(), gradient, [y, dy], p)]);
}

/** y = exp(x) / Σ exp(x) over the last axis. Finite while differences of x are. */
export const softmax = (x: Tensor): Tensor => apply('softmax', x, false);

/** y = x - ln Σ exp(x) over the last axis. Finite while differences of x are. */
export const logSoftmax = (x: Tensor): Tensor => apply('logSoftmax', x, true);
