import source from '../../kernels/batch_norm_lanes.wgsl';
import gradSource from '../../kernels/batch_norm_lanes_grad.wgsl';
import statsEndSource from '../../kernels/batch_norm_stats_end_lanes.wgsl';
import statsSource from '../../kernels/batch_norm_stats_lanes.wgsl';
import statsTilesSource from '../../kernels/batch_norm_stats_tiles_lanes.wgsl';
import sumsSource from '../../kernels/batch_norm_sums_lanes_grad.wgsl';
import type { Launch, Plan } from '../backend/backend.js';
import { ceilDiv } from '../core/ceil-div.js';
import type { Traits } from '../gpu/device.js';
import { kernel } from '../gpu/kernel.js';
import type { BatchNormParams } from '../reference/batch_norm.js';
import { type Columns, columnLanes, isWords, ofEight, reducing, sumsTail, words16 } from './column_lanes.js';

// Batch norm's passes for graphics cards. A probe of this design ran at 4.1 to 4.3 TB/s on an H200, in f32 and in f16;
// the kernels before it at 1.2 to 4.6 and at half of that.

const [normalise, stats, sums, gradient] = [
  words16('batch_norm_lanes', source),
  words16('batch_norm_stats_lanes', statsSource),
  words16('batch_norm_sums_lanes_grad', sumsSource),
  words16('batch_norm_lanes_grad', gradSource),
];
const statsTiles = kernel('batch_norm_stats_tiles_lanes', statsTilesSource);
const statsEnd = kernel('batch_norm_stats_end_lanes', statsEndSource);

/** How its tensors are stored: x as f16, and all others like x. */
export interface Stored {
  half: 0 | 1;
  alike: boolean;
}
export type StoredParams = BatchNormParams & Stored;

/** Whether these kernels serve: words of 16 bytes, on graphics cards. */
export const servesLanes = (p: StoredParams, { software }: Traits): boolean => !software && p.alike && isWords(p);

const columnsOf = ({ N, L, C, splits, half }: StoredParams): Columns => ({ C, rows: (N / splits) * L, splits, half });

/** A pass in which a thread takes `each` rows at once. */
function pass(kernels: typeof stats, each: number, p: StoredParams, constants: Launch['constants']): Launch {
  const { params, groups } = columnLanes(columnsOf(p), each);
  return { kernel: kernels[p.half], constants, params: { ...params, L: p.L, eps: p.eps }, groups };
}

export const normaliseLanes = (p: StoredParams, constants: Launch['constants']): Launch =>
  pass(normalise, 4, p, constants);
export const gradLanes = (p: StoredParams, constants: Launch['constants']): Launch => pass(gradient, 2, p, constants);

type Momentum = { momentum: number };

/** [x] -> [mean, var, runningMean, runningVar] */
export function statsLanes({ momentum, ...p }: StoredParams & Momentum, traits: Traits): Plan {
  const { params, groups } = columnLanes(columnsOf(p), 8, reducing(traits));
  const size = p.splits * params.chunks * p.C;
  return {
    scratch: [size, size],
    launches: [
      { kernel: stats[p.half], params: { ...params, L: p.L }, groups, bind: [0, 5, 6] },
      {
        kernel: statsEnd,
        params: { ...params, C: p.C, L: p.L, momentum },
        groups: ofEight(p.C),
        bind: [0, 5, 6, 1, 2, 3, 4],
      },
    ],
  };
}

/** Tiles of a chunk: 4 for each thread of a channel. */
const SPAN = 128;

/** [x, mean and m2 of its tiles] -> [mean, var, runningMean, runningVar] */
export function statsTilesLanes({
  N,
  L,
  C,
  splits,
  tile,
  momentum,
}: BatchNormParams & Momentum & { tile: number }): Plan {
  const rows = (N / splits) * L;
  const tiles = ceilDiv(rows, tile);
  const chunks = ceilDiv(tiles, SPAN);
  const params = { C, L, splits, rows, tile, tiles, span: SPAN, chunks, chunk: SPAN * tile, momentum };
  const size = splits * chunks * C;
  return {
    scratch: [size, size],
    launches: [
      { kernel: statsTiles, params, groups: splits * chunks * ofEight(C), bind: [0, 1, 2, 7, 8] },
      { kernel: statsEnd, params, groups: ofEight(C), bind: [0, 7, 8, 3, 4, 5, 6] },
    ],
  };
}

/** [x, dy, y, mean, var] -> [sums, dgamma, dbeta, dz] */
export function sumsLanes(p: StoredParams, traits: Traits, constants: Launch['constants']): Plan {
  const { params, groups } = columnLanes(columnsOf(p), 4, reducing(traits));
  const size = p.splits * params.chunks * p.C;
  return {
    scratch: [size, size],
    launches: [
      {
        kernel: sums[p.half],
        constants,
        params: { ...params, L: p.L, eps: p.eps },
        groups,
        bind: [0, 1, 2, 3, 4, 9, 10, 8],
      },
      sumsTail({ C: p.C, splits: p.splits, chunks: params.chunks }, [9, 10, 5, 6, 7]),
    ],
  };
}
