import source from '../../kernels/conv2d.wgsl';
import broadcastSource from '../../kernels/conv2d_broadcast.wgsl';
import depthwiseSource from '../../kernels/conv2d_depthwise.wgsl';
import fewSource from '../../kernels/conv2d_few.wgsl';
import fewTiledSource from '../../kernels/conv2d_few_tiled.wgsl';
import matrixSource from '../../kernels/conv2d_matrix.wgsl';
import tiledSource from '../../kernels/conv2d_tiled.wgsl';
import type { Launch, Plan } from '../backend/backend.js';
import { type Ladder, ladder, statisticsOf, type WithStatistics } from '../backend/variants.js';
import { ceilDiv } from '../core/ceil-div.js';
import type { Traits } from '../gpu/device.js';
import { type Kernel, kernel } from '../gpu/kernel.js';
import type { Conv2dParams } from '../reference/conv2d.js';
import { always, byColumns, bySide, bySubgroup, canMatrix, canTile, canTileFew, classOf, fillsMatrices, fillsTiles, isDepthwise, isProduct, pixelsOf, product, samples, tiledRung, tiling, wSize, xSize, ySize } from './conv2d_parts.js';
import { byWhole, matmulGpu, matmulLadder, storesHalves } from './matmul_variants.js';
import { stridedLaunch } from './strided.js';

type P = Conv2dParams;
const direct = byColumns('conv2d', source);
const broadcast = bySubgroup('conv2d_broadcast', broadcastSource);
const few = bySubgroup('conv2d_few', fewSource);
const tiled = bySide('conv2d_tiled', tiledSource);
const tiledStats = bySide('conv2d_tiled', tiledSource, { STATS: 1 });
const fewTiled = kernel('conv2d_few_tiled', fewTiledSource);
const fewTiledStats = kernel('conv2d_few_tiled', fewTiledSource, { STATS: 1 });
const matrix = byWhole('conv2d_matrix', matrixSource, { B_T: 1 });
const matrixStats = kernel('conv2d_matrix', matrixSource, { B_T: 1, WHOLE: 0, STATS: 1 });
const depthwise = kernel('conv2d_depthwise', depthwiseSource);

function directLaunch(p: P, traits: Traits): Plan {
  const { blocks, LANES, ...variant } = tiling(direct, p.O / p.groups, traits.software);
  const groups = ceilDiv(ceilDiv(pixelsOf(p), 8) * p.groups * blocks * LANES, 64);
  const RSC = (p.R * p.S * p.C) / p.groups;
  const turned = stridedLaunch({ shape: [RSC, p.O], xStart: 0, xStrides: [1, RSC], yStart: 0, yStrides: [p.O, 1] }, traits);
  return { scratch: [RSC * p.O], launches: [{ ...turned, bind: [1, 3] }, { ...variant, params: { ...p }, groups, bind: [0, 3, 2] }] };
}

const broadcastLaunch = (of: Map<number, Kernel>) => (p: P, { subgroup }: Traits): Launch =>
  ({ kernel: of.get(subgroup)!, params: { ...p }, groups: ceilDiv(pixelsOf(p), 16) * p.groups * ceilDiv(p.O / p.groups, 32) });

const tileLaunch = (k: Kernel, side: number, p: P): Launch =>
  ({ kernel: k, params: { ...p }, groups: ceilDiv(pixelsOf(p), side) * p.groups * ceilDiv(p.O / p.groups, side) });

const tileStatistics = (k: Kernel, side: number, rows = side) => (p: P, t: Traits): WithStatistics =>
  ({ rows, launch: { ...tileLaunch(k, side, p), constants: { HALF: Number(storesHalves(p, t)) } } });

/** y = x wᵀ */
const asProduct = (p: P) => product(pixelsOf(p), p.O, p.C, { bT: true, half: p.half });

const depthwiseLaunch = (p: P): Launch => ({ kernel: depthwise, params: { ...p }, groups: ceilDiv(ceilDiv(pixelsOf(p), 8) * p.C, 64) });

const canBroadcast = (p: P, { subgroup }: Traits) => broadcast.has(subgroup) && (p.C / p.groups) % subgroup === 0;
const canFew = (_: P, { subgroup }: Traits) => few.has(subgroup);

/** By traits alone. On software the broadcast kernels win wherever there are channels to tile, on graphics cards the tiled ones; products are matmul's. */
function guess(p: P, t: Traits): string {
  if (isProduct(p)) return 'product';
  if (isDepthwise(p)) return 'depthwise';
  if (fillsMatrices(p, t)) return 'matrix';
  if (fillsTiles(p, t)) return tiledRung(pixelsOf(p), p.O / p.groups, t);
  if (canTileFew(p, t) && p.O / p.groups >= 16) return 'few tiled';
  if (!t.software || p.O / p.groups < 8 || !canFew(p, t)) return 'direct';
  return canBroadcast(p, t) && p.C / p.groups >= 32 ? 'broadcast' : 'few';
}

export const conv2dLadder: Ladder<P> = {
  name: 'conv2d', classOf, guess, samples: samples(xSize, wSize, ySize),
  rungs: [
    { name: 'direct', fits: always, launch: directLaunch },
    { name: 'broadcast', fits: canBroadcast, launch: broadcastLaunch(broadcast) },
    { name: 'few', fits: canFew, launch: broadcastLaunch(few) },
    { name: 'tiled 64', fits: canTile, launch: (p) => tileLaunch(tiled.get(64)!, 64, p), statistics: tileStatistics(tiledStats.get(64)!, 64) },
    { name: 'tiled 128', fits: canTile, launch: (p) => tileLaunch(tiled.get(128)!, 128, p), statistics: tileStatistics(tiledStats.get(128)!, 128) },
    { name: 'few tiled', fits: canTileFew, launch: (p) => tileLaunch(fewTiled, 64, p), statistics: tileStatistics(fewTiledStats, 64) },
    { name: 'matrix', fits: canMatrix, launch: (p) => tileLaunch(matrix(pixelsOf(p), p.O / p.groups), 128, p), statistics: tileStatistics(matrixStats, 128, 64) },
    { name: 'depthwise', fits: isDepthwise, launch: depthwiseLaunch },
    { name: 'product', fits: isProduct, launch: (p, t) => matmulGpu(asProduct(p), t), statistics: (p, t) => statisticsOf(matmulLadder, asProduct(p), t) },
  ],
};
export const conv2dGpu = ladder(conv2dLadder);
