import source from '../../kernels/layer_norm.wgsl';
import gradSource from '../../kernels/layer_norm_grad.wgsl';
import sumsSource from '../../kernels/layer_norm_sums_grad.wgsl';
import sumsLanesSource from '../../kernels/layer_norm_sums_lanes_grad.wgsl';
import type { Launch, Plan, Primitive } from '../backend/backend.js';
import { atLeast0, checkOptions } from '../core/check.js';
import type { Traits } from '../gpu/device.js';
import { type Widths, widthOf, widths } from '../gpu/widths.js';
import type { Rows } from '../reference/row_dot.js';
import { record } from '../tensor/autograd.js';
import { run, runTo } from '../tensor/run.js';
import { checkDType, checkSameShape, empty, floatType, type Tensor } from '../tensor/tensor.js';
import { type Columns, columnLanes, isWords, reducing, sumsTail, words16 } from './column_lanes.js';
import { reduceLaunches } from './reduce_launch.js';
import { rowsOf } from './row_dot.js';

/** Threads that share a row: one where they would have to meet in slow workgroup memory. */
const lanesOf = ({ software }: Traits): 1 | 32 => (software ? 1 : 32);
const shared = (name: string, text: string) => ({
  1: widths(name, text, { LANES: 1 }),
  32: widths(name, text, { LANES: 32 }),
});

const [forward, gradient, sums] = [
  shared('layer_norm', source),
  shared('layer_norm_grad', gradSource),
  widths('layer_norm_sums_grad', sumsSource),
];
const sumsLanes = words16('layer_norm_sums_lanes_grad', sumsLanesSource);

function rowsLaunch(kernels: Record<1 | 32, Widths>, { C, ...p }: Rows & { eps?: number }, traits: Traits): Launch {
  const [lanes, width] = [lanesOf(traits), widthOf(C)];
  return { kernel: kernels[lanes][width], params: { ...p, C: C / width }, groups: Math.ceil((p.rows * lanes) / 64) };
}

/** [x, gamma, beta] -> [y, stats] */
const primitive: Primitive<Rows & { eps: number }> = {
  name: 'layer_norm',
  gpu: (p, traits) => rowsLaunch(forward, p, traits),
};

/** [x, dy, gamma, stats] -> [dx] */
const gradPrimitive: Primitive<Rows> = { name: 'layer_norm_grad', gpu: (p, traits) => rowsLaunch(gradient, p, traits) };

/** The same sums on graphics cards, in two dispatches. */
function sumsInLanes(columns: Columns, traits: Traits): Plan {
  const { params, groups } = columnLanes(columns, 4, reducing(traits));
  const { C } = columns;
  return {
    scratch: [params.chunks * C, params.chunks * C, 2 * C],
    launches: [
      { kernel: sumsLanes[columns.half], params, groups, bind: [0, 1, 2, 5, 6] },
      sumsTail({ C, splits: 1, chunks: params.chunks }, [5, 6, 7, 3, 4]),
    ],
  };
}

/** [x, dy, stats] -> [dgamma, dbeta] */
const sumsPrimitive: Primitive<Rows & { half: 0 | 1 }> = {
  name: 'layer_norm_sums_grad',
  gpu: ({ rows, C, half }, traits) => {
    const columns = { C, rows, splits: 1, half };
    if (!traits.software && rows > 0 && isWords(columns)) return sumsInLanes(columns, traits);
    const width = widthOf(C);
    const chunk = Math.min(Math.max(Math.ceil((rows * C) / width / (traits.parallelGroups * 64)), 8), 512);
    const chunks = Math.max(1, Math.ceil(rows / chunk));
    const launch = {
      kernel: sums[width],
      params: { rows, C: C / width, chunk, chunks },
      groups: Math.ceil((chunks * C) / width / 64),
      bind: [0, 1, 2, 5, 6],
    };
    const whole = { op: 'sum', A: 1, R: chunks, B: C, scale: 1 } as const;
    const [beta, gamma] = [reduceLaunches(whole, [5, 4, 7]), reduceLaunches(whole, [6, 3, 7])];
    return {
      scratch: [chunks * C, chunks * C, ...beta.scratch],
      launches: [launch, ...beta.launches, ...gamma.launches],
    };
  },
};

/**
 * Layer normalisation over the last axis (Ba, Kiros and Hinton 2016), as torch's F.layer_norm with the biased variance.
 * `eps` is added to the variance; vision transformers use the default, torch's own is 1e-5.
 *
 * @param x [.., C]
 * @param gamma scale and `beta` shift of every column, [C]
 * @returns like x: (x - mean) / √(var + eps) · gamma + beta
 */
export function layerNorm(x: Tensor, gamma: Tensor, beta: Tensor, options: { eps?: number } = {}): Tensor {
  const dtype = floatType('layerNorm', x);
  checkOptions('layerNorm', options, { eps: atLeast0 });
  const { eps = 1e-6 } = options;
  const p = rowsOf('layerNorm', x.shape);
  for (const t of [gamma, beta]) checkDType('layerNorm', t, 'f32');
  checkSameShape('layerNorm', 'gamma', gamma, [p.C]);
  checkSameShape('layerNorm', 'beta', beta, [p.C]);
  const [y, stats] = [empty(x.shape, dtype, x.backend), empty([p.rows, 2], 'f32', x.backend)];
  run(primitive, [x, gamma, beta], [y, stats], { ...p, eps });
  // dx = rstd (g - mean(g) - x̂ mean(g x̂)), g = dy gamma, over the columns; dgamma = Σ dy x̂ and dbeta = Σ dy over the
  // rows
  return record('layerNorm', y, [x, gamma, beta], (dy, [dx, ...places]) => {
    const sums = places.map((place) => place?.() ?? empty([p.C], 'f32', x.backend));
    if (places.some(Boolean)) run(sumsPrimitive, [x, dy, stats], sums, { ...p, half: dtype === 'f16' ? 1 : 0 });
    return [dx && runTo(dx(), gradPrimitive, [x, dy, gamma, stats], p), ...sums];
  });
}
