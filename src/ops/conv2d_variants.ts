import source from '../../kernels/conv2d.wgsl';
import depthwiseSource from '../../kernels/conv2d_depthwise.wgsl';
import matrixSource from '../../kernels/conv2d_matrix.wgsl';
import smallSource from '../../kernels/conv2d_small_channel.wgsl';
import smallTiledSource from '../../kernels/conv2d_small_channel_tiled.wgsl';
import subgroupSource from '../../kernels/conv2d_subgroup.wgsl';
import tiledSource from '../../kernels/conv2d_tiled.wgsl';
import type { Backend, Launch, Plan } from '../backend/backend.js';
import { Choice, choose, launchOf, variantTable, type WithStatistics } from '../backend/variants.js';
import { ceilDiv } from '../core/ceil-div.js';
import type { Traits } from '../gpu/device.js';
import { type Kernel, kernel } from '../gpu/kernel.js';
import type { Conv2dParams } from '../reference/conv2d.js';
import type { MatmulParams } from '../reference/matmul.js';
import {
  always,
  byColumns,
  bySide,
  bySubgroup,
  canMatrix,
  canTile,
  canTileSmall,
  classOf,
  conv2dFlops,
  fillsMatrices,
  fillsTiles,
  isDepthwise,
  isProduct,
  pixelsOf,
  product,
  samples,
  tiledVariant,
  tiling,
  wSize,
  xSize,
  ySize,
} from './conv2d_parts.js';
import { byWhole, matmulGpu, matmulVariants, storesF16 } from './matmul_variants.js';
import { stridedLaunch } from './strided.js';

type P = Conv2dParams;
const direct = byColumns('conv2d', source);
const subgroupKernels = bySubgroup('conv2d_subgroup', subgroupSource);
const small = bySubgroup('conv2d_small_channel', smallSource);
const tiled = bySide('conv2d_tiled', tiledSource);
const tiledStats = bySide('conv2d_tiled', tiledSource, { STATS: 1 });
const smallTiled = kernel('conv2d_small_channel_tiled', smallTiledSource);
const smallTiledStats = kernel('conv2d_small_channel_tiled', smallTiledSource, { STATS: 1 });
const matrix = byWhole('conv2d_matrix', matrixSource, { B_T: 1 });
const matrixStats = kernel('conv2d_matrix', matrixSource, { B_T: 1, WHOLE: 0, STATS: 1 });
const depthwise = kernel('conv2d_depthwise', depthwiseSource);

function directLaunch(p: P, traits: Traits): Plan {
  const { blocks, LANES, ...variant } = tiling(direct, p.O / p.groups, traits.software);
  const groups = ceilDiv(ceilDiv(pixelsOf(p), 8) * p.groups * blocks * LANES, 64);
  const RSC = (p.R * p.S * p.C) / p.groups;
  const transposed = stridedLaunch(
    { shape: [RSC, p.O], xStart: 0, xStrides: [1, RSC], yStart: 0, yStrides: [p.O, 1] },
    traits,
  );
  return {
    scratch: [RSC * p.O],
    launches: [
      { ...transposed, bind: [1, 3] },
      { ...variant, params: { ...p }, groups, bind: [0, 3, 2], flops: conv2dFlops(p) },
    ],
  };
}

const subgroupLaunch =
  (of: Map<number, Kernel>) =>
  (p: P, { subgroup }: Traits): Launch => ({
    kernel: of.get(subgroup)!,
    params: { ...p },
    groups: ceilDiv(pixelsOf(p), 16) * p.groups * ceilDiv(p.O / p.groups, 32),
    flops: conv2dFlops(p),
  });

const tileLaunch = (k: Kernel, side: number, p: P): Launch => ({
  kernel: k,
  params: { ...p },
  groups: ceilDiv(pixelsOf(p), side) * p.groups * ceilDiv(p.O / p.groups, side),
  flops: conv2dFlops(p),
});

const tileStatistics =
  (k: Kernel, side: number, rows = side) =>
  (p: P, t: Traits): WithStatistics => ({
    rows,
    launch: { ...tileLaunch(k, side, p), constants: { HALF: Number(storesF16(p, t)) } },
  });

/** y = x wᵀ */
const asProduct = (p: P) => product(pixelsOf(p), p.O, p.C, { bT: true, half: p.half });

const depthwiseLaunch = (p: P): Launch => ({
  kernel: depthwise,
  params: { ...p },
  groups: ceilDiv(ceilDiv(pixelsOf(p), 8) * p.C, 64),
  flops: conv2dFlops(p),
});

const fillsSubgroups = (p: P, { subgroup }: Traits) =>
  subgroupKernels.has(subgroup) && (p.C / p.groups) % subgroup === 0;
const canSmall = (_: P, { subgroup }: Traits) => small.has(subgroup);

/**
 * By traits alone. On software the subgroup kernels win wherever there are channels to tile, on graphics cards the
 * tiled ones; products are matmul's.
 */
function heuristic(p: P, t: Traits) {
  if (isProduct(p)) return 'product';
  if (isDepthwise(p)) return 'depthwise';
  if (fillsMatrices(p, t)) return 'matrix';
  if (fillsTiles(p, t)) return tiledVariant(pixelsOf(p), p.O / p.groups, t);
  if (canTileSmall(p, t) && p.O / p.groups >= 16) return 'small channel tiled';
  if (!t.software || p.O / p.groups < 8 || !canSmall(p, t)) return 'direct';
  return fillsSubgroups(p, t) && p.C / p.groups >= 32 ? 'subgroup' : 'small channel';
}

export const conv2dVariants = variantTable({
  name: 'conv2d',
  classOf,
  heuristic,
  samples: samples(xSize, wSize, ySize),
  variants: [
    {
      name: 'direct',
      why: 'everything, everywhere, 8 pixels × 4 channels a thread: 2.30 GFLOP/s for 32→64 at 16² on SwiftShader',
      supports: always,
      launch: directLaunch,
    },
    {
      name: 'subgroup',
      why: 'software with channels to tile: 3.69 GFLOP/s for 32→64 at 16² on SwiftShader, direct 2.30',
      supports: fillsSubgroups,
      launch: subgroupLaunch(subgroupKernels),
    },
    {
      name: 'small channel',
      why: 'software, channels few or not dividing: 2.27 GFLOP/s for 3→64 at 32² on SwiftShader, direct 1.26',
      supports: canSmall,
      launch: subgroupLaunch(small),
    },
    {
      name: 'tiled 64',
      why: 'graphics cards, 8 × 8 a thread by vec4: 20 to 28 TFLOP/s for shapes of ResNet-50 on an H200',
      supports: canTile,
      launch: (p) => tileLaunch(tiled.get(64)!, 64, p),
      epilogue: { statistics: tileStatistics(tiledStats.get(64)!, 64) },
    },
    {
      name: 'tiled 128',
      why: 'tiled 64 where tiles of 128 still fill the card: half the loads; measured only together with it',
      supports: canTile,
      launch: (p) => tileLaunch(tiled.get(128)!, 128, p),
      epilogue: { statistics: tileStatistics(tiledStats.get(128)!, 128) },
    },
    {
      name: 'small channel tiled',
      why: 'graphics cards, channels that do not divide by 4: with its dW 9 of 401 ms of a ResNet-50 step on an H200',
      supports: canTileSmall,
      launch: (p) => tileLaunch(smallTiled, 64, p),
      epilogue: { statistics: tileStatistics(smallTiledStats, 64) },
    },
    {
      name: 'matrix',
      why: 'f16 on tensor cores: 81 TFLOP/s in a ResNet-50 step of 256 pictures on an H200',
      supports: canMatrix,
      launch: (p) => tileLaunch(matrix(pixelsOf(p), p.O / p.groups), 128, p),
      epilogue: { statistics: tileStatistics(matrixStats, 128, 64) },
    },
    {
      name: 'depthwise',
      why: 'each channel by itself: 0.38 GFLOP/s for 64 channels at 32² on SwiftShader, direct 0.08',
      supports: isDepthwise,
      launch: depthwiseLaunch,
    },
    {
      name: 'product',
      why: '1×1 without stride is a matrix product as it lies: 15 to 30 TFLOP/s in a ResNet-50 step on an H200',
      supports: isProduct,
      launch: (p, t) => matmulGpu(asProduct(p), t),
      epilogue: { statistics: (p, t) => new Choice(matmulVariants, asProduct(p), t).statistics() },
    },
  ],
});
export const conv2dGpu = launchOf(conv2dVariants);

/** The choice for a convolution; where it is a product, the choice for that. */
export function chooseConv2d(on: Backend, p: P): Choice<P> | Choice<MatmulParams> | undefined {
  const choice = choose(on, conv2dVariants, p);
  return choice?.name === 'product' ? choose(on, matmulVariants, asProduct(p)) : choice;
}
