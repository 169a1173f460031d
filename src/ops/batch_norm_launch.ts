import source from '../../kernels/batch_norm.wgsl';
import gradSource from '../../kernels/batch_norm_grad.wgsl';
import statsSource from '../../kernels/batch_norm_stats.wgsl';
import statsEndSource from '../../kernels/batch_norm_stats_end.wgsl';
import statsMergeSource from '../../kernels/batch_norm_stats_merge.wgsl';
import statsTilesSource from '../../kernels/batch_norm_stats_tiles.wgsl';
import sumsEndSource from '../../kernels/batch_norm_sums_end_grad.wgsl';
import sumsSource from '../../kernels/batch_norm_sums_grad.wgsl';
import type { Launch, Primitive } from '../backend/backend.js';
import { ceilDiv } from '../core/ceil-div.js';
import type { Traits } from '../gpu/device.js';
import { kernel } from '../gpu/kernel.js';
import { type Widths, widthOf, widths } from '../gpu/widths.js';
import type { BatchNormParams } from '../reference/batch_norm.js';
import {
  gradLanes,
  normaliseLanes,
  type Stored,
  servesLanes,
  statsLanes,
  statsTilesLanes,
  sumsLanes,
} from './batch_norm_lanes.js';
import { reduceLaunch } from './reduce_launch.js';

const [normalise, stats, sums, gradient] = [
  widths('batch_norm', source),
  widths('batch_norm_stats', statsSource),
  widths('batch_norm_sums_grad', sumsSource),
  widths('batch_norm_grad', gradSource),
];
const [statsMerge, statsTiles] = [
  kernel('batch_norm_stats_merge', statsMergeSource),
  kernel('batch_norm_stats_tiles', statsTilesSource),
];
const [statsEnd, sumsEnd] = [
  kernel('batch_norm_stats_end', statsEndSource),
  kernel('batch_norm_sums_end_grad', sumsEndSource),
];

const threads = (n: number) => Math.ceil(n / 64);

/**
 * One pass over x, in which a thread takes as many rows as keep every lane busy, `least` and `most` allowing.
 * Long chunks save work a column; short ones keep sums exact, and many loads in flight where memory is far.
 */
function pass(
  kernels: Widths,
  p: BatchNormParams,
  traits: Traits,
  least: number,
  most: number,
): Launch & { chunks: number; span: number } {
  const width = widthOf(p.C);
  const C = p.C / width;
  const rows = (p.N / p.splits) * p.L;
  const wanted = (rows * C * p.splits) / (traits.parallelGroups * 64);
  const chunk = Math.min(Math.max(Math.ceil(wanted), least), most);
  const few = Math.ceil(rows / chunk);
  const span = few > 32 ? Math.ceil(Math.sqrt(few)) : 1; // chunks merged into one before the last pass
  const chunks = Math.ceil(few / span) * span;
  return {
    kernel: kernels[width],
    params: { ...p, C, rows, chunk, chunks },
    groups: threads(p.splits * chunks * C),
    chunks,
    span,
  };
}

/** A pass that reduces columns, [2, 3, ..) of the plan's scratch, and how its chunks are merged. */
const columnsPass = (kernels: Widths, p: BatchNormParams, traits: Traits) => {
  const first = pass(kernels, p, traits, 8, 512);
  const merged = first.chunks / first.span;
  const scratch = (chunks: number) => p.splits * chunks * p.C;
  return {
    first,
    merged,
    scratch: [
      scratch(first.chunks),
      scratch(first.chunks),
      ...(first.span > 1 ? [scratch(merged), scratch(merged)] : []),
    ],
  };
};

type StatsParams = BatchNormParams & { momentum: number };
type StoredStats = StatsParams & Stored;

/** [x] -> [mean, var, runningMean, runningVar] */
export const statsPrimitive: Primitive<StoredStats> = {
  name: 'batch_norm_stats',
  gpu: ({ half, alike, ...p }, traits) => {
    if (servesLanes({ ...p, half, alike }, traits)) return statsLanes({ ...p, half, alike }, traits);
    const { first, merged, scratch } = columnsPass(stats, p, traits);
    const sizes = { ...first.params, C: p.C };
    const merge = {
      kernel: statsMerge,
      params: { ...sizes, span: first.span },
      groups: threads(p.splits * merged * p.C),
      bind: [5, 6, 7, 8],
    };
    const end = {
      kernel: statsEnd,
      params: { ...sizes, chunks: merged, chunk: Number(first.params.chunk) * first.span },
      groups: threads(p.C),
    };
    const launches =
      first.span > 1 ? [merge, { ...end, bind: [0, 7, 8, 1, 2, 3, 4] }] : [{ ...end, bind: [0, 5, 6, 1, 2, 3, 4] }];
    return { scratch, launches: [{ ...first, bind: [0, 5, 6] }, ...launches] };
  },
};

/** [x, mean and m2 of its tiles] -> [mean, var, runningMean, runningVar] */
export const statsTilesPrimitive: Primitive<StatsParams & { tile: number }> = {
  name: 'batch_norm_stats_tiles',
  gpu: (p, { software }) => {
    if (!software) return statsTilesLanes(p);
    const rows = (p.N / p.splits) * p.L;
    const tiles = ceilDiv(rows, p.tile);
    const span = Math.ceil(Math.sqrt(tiles));
    const chunks = ceilDiv(tiles, span);
    const params = { ...p, rows, tiles, span, chunks, chunk: span * p.tile };
    const size = p.splits * chunks * p.C;
    return {
      scratch: [size, size],
      launches: [
        { kernel: statsTiles, params, groups: threads(size), bind: [0, 1, 2, 7, 8] },
        { kernel: statsEnd, params, groups: threads(p.C), bind: [0, 7, 8, 3, 4, 5, 6] },
      ],
    };
  },
};

type NormaliseParams = BatchNormParams & Stored & { affine: boolean; add: boolean; relu: boolean };

/** [x, mean, var, gamma, beta, residual] -> [y] */
export const normalisePrimitive: Primitive<NormaliseParams> = {
  name: 'batch_norm',
  gpu: ({ affine, add, relu, half, alike, ...p }, traits) => {
    const constants = { AFFINE: Number(affine), RESIDUAL: Number(add), RELU: Number(relu) };
    if (servesLanes({ ...p, half, alike }, traits)) return normaliseLanes({ ...p, half, alike }, constants);
    return { ...pass(normalise, p, traits, 1, traits.software ? 128 : 16), constants };
  },
};

type SumsParams = BatchNormParams & Stored & { relu: boolean; writeDz: boolean };

/** [x, dy, y, mean, var] -> [sums, dgamma, dbeta, dz] */
export const sumsPrimitive: Primitive<SumsParams> = {
  name: 'batch_norm_sums_grad',
  gpu: ({ relu, writeDz, half, alike, ...p }, traits) => {
    const constants = { RELU: Number(relu), WRITE_DZ: Number(writeDz) };
    if (servesLanes({ ...p, half, alike }, traits)) return sumsLanes({ ...p, half, alike }, traits, constants);
    const { first, merged, scratch } = columnsPass(sums, p, traits);
    const merge = reduceLaunch({ op: 'sum', A: p.splits * merged, R: first.span, B: p.C, scale: 1 });
    const end = { kernel: sumsEnd, params: { C: p.C, splits: p.splits, chunks: merged }, groups: threads(p.C) };
    const launches =
      first.span > 1
        ? [
            { ...merge, bind: [9, 11] },
            { ...merge, bind: [10, 12] },
            { ...end, bind: [11, 12, 5, 6, 7] },
          ]
        : [{ ...end, bind: [9, 10, 5, 6, 7] }];
    return {
      scratch,
      launches: [{ ...first, constants, bind: [0, 1, 2, 3, 4, 9, 10, 8] }, ...launches],
    };
  },
};

type GradParams = BatchNormParams & Stored & { affine: boolean; relu: boolean; train: boolean };

/** [x, dy, y, mean, var, gamma, sums] -> [dx] */
export const gradPrimitive: Primitive<GradParams> = {
  name: 'batch_norm_grad',
  gpu: ({ affine, relu, train, half, alike, ...p }, traits) => {
    const constants = { AFFINE: Number(affine), RELU: Number(relu), TRAIN: Number(train) };
    if (servesLanes({ ...p, half, alike }, traits)) return gradLanes({ ...p, half, alike }, constants);
    return { ...pass(gradient, p, traits, 1, traits.software ? 128 : 16), constants };
  },
};
