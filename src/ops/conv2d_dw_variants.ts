import source from '../../kernels/conv2d_dw.wgsl';
import depthwiseSource from '../../kernels/conv2d_dw_depthwise.wgsl';
import matrixSource from '../../kernels/conv2d_dw_matrix.wgsl';
import smallSource from '../../kernels/conv2d_dw_small_channel.wgsl';
import smallTiledSource from '../../kernels/conv2d_dw_small_channel_tiled.wgsl';
import subgroupSource from '../../kernels/conv2d_dw_subgroup.wgsl';
import tiledSource from '../../kernels/conv2d_dw_tiled.wgsl';
import type { Launch, Plan } from '../backend/backend.js';
import { launchOf, variantTable } from '../backend/variants.js';
import { ceilDiv } from '../core/ceil-div.js';
import type { Traits } from '../gpu/device.js';
import { type Kernel, kernel } from '../gpu/kernel.js';
import type { Conv2dParams } from '../reference/conv2d.js';
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
  rebind,
  samples,
  tiling,
  wSize,
  xSize,
  ySize,
} from './conv2d_parts.js';
import { byWhole, matmulGpu } from './matmul_variants.js';
import { reduceLaunch } from './reduce_launch.js';

type P = Conv2dParams;
const direct = byColumns('conv2d_dw', source);
const subgroupKernels = bySubgroup('conv2d_dw_subgroup', subgroupSource, (subgroup) => ({
  COLUMNS: 32 / subgroup,
  LOADS: 16 / subgroup,
}));
const small = bySubgroup('conv2d_dw_small_channel', smallSource, (subgroup) => ({
  COLUMNS: 32 / subgroup,
  LOADS: 16 / subgroup,
}));
const tiled = bySide('conv2d_dw_tiled', tiledSource);
const smallTiled = kernel('conv2d_dw_small_channel_tiled', smallTiledSource);
const matrix = byWhole('conv2d_dw_matrix', matrixSource, { A_T: 1 });
const depthwise = kernel('conv2d_dw_depthwise', depthwiseSource);

/**
 * The sum over pixels in slices of whole rows (n, p), where there are too few `tiles` to keep the adapter busy; slices
 * are added in order.
 */
function sliced(
  p: P,
  tiles: number,
  wanted: number,
  launch: (params: P & { chunk: number; slices: number }, tiles: number) => Launch,
): Launch | Plan {
  const rows = p.N * p.P;
  const chunk = Math.max(1, ceilDiv(rows, Math.max(1, ceilDiv(wanted, tiles))));
  const slices = Math.max(1, ceilDiv(rows, chunk));
  const made = launch({ ...p, chunk, slices }, tiles * slices);
  if (slices === 1) return made;
  const reduce = reduceLaunch({ op: 'sum', A: 1, R: slices, B: wSize(p), scale: 1 });
  return {
    scratch: [slices * wSize(p)],
    launches: [
      { ...made, bind: [0, 1, 3] },
      { ...reduce, bind: [3, 2] },
    ],
  };
}

function directLaunch(p: P, { software, parallelGroups }: Traits): Launch | Plan {
  const { blocks, LANES, ...variant } = tiling(direct, p.C / p.groups, software);
  const threads = p.groups * ceilDiv(p.O / p.groups, 8) * p.R * p.S * blocks * LANES;
  return sliced(p, threads, parallelGroups * 64, (params, all) => ({
    ...variant,
    params: { ...params },
    groups: ceilDiv(all, 64),
    flops: conv2dFlops(p),
  }));
}

/** A kernel whose workgroups each sum a tile of dw. */
const inTiles =
  (kernelOf: (t: Traits) => Kernel, tiles: (p: P) => number) =>
  (p: P, t: Traits): Launch | Plan =>
    sliced(p, tiles(p), t.parallelGroups, (params, groups) => ({
      kernel: kernelOf(t),
      params: { ...params },
      groups,
      flops: conv2dFlops(p),
    }));

/** Tiles of `height` output channels by `width` of what lies under them, taps and channels. */
const tilesOf = (p: P, height: number, width: number): number =>
  p.groups * ceilDiv(p.O / p.groups, height) * ceilDiv((p.R * p.S * p.C) / p.groups, width);

const subgroupLaunch = inTiles(
  (t) => subgroupKernels.get(t.subgroup)!,
  (p) => p.groups * ceilDiv(p.O / p.groups, 16) * p.R * p.S * ceilDiv(p.C / p.groups, 32),
);
const smallLaunch = inTiles(
  (t) => small.get(t.subgroup)!,
  (p) => tilesOf(p, 16, 32),
);
const tileLaunch = (k: Kernel, side: number) =>
  inTiles(
    () => k,
    (p) => tilesOf(p, side, side),
  );

function depthwiseLaunch(p: P, { parallelGroups }: Traits): Launch | Plan {
  const threads = p.C * p.R * ceilDiv(p.S, 4);
  return sliced(p, threads, parallelGroups * 64, (params, all) => ({
    kernel: depthwise,
    params: { ...params },
    groups: ceilDiv(all, 64),
    flops: conv2dFlops(p),
  }));
}

const hasSubgroups = (_: P, { subgroup }: Traits) => subgroupKernels.has(subgroup);

/** By traits alone, as for y. */
function heuristic(p: P, t: Traits) {
  if (isProduct(p)) return 'product';
  if (isDepthwise(p)) return 'depthwise';
  if (fillsMatrices(p, t)) return 'matrix';
  // pixels make up for few tiles
  if (fillsTiles(p, t)) return p.O / p.groups >= 128 && wSize(p) / p.groups >= 2 ** 18 ? 'tiled 128' : 'tiled 64';
  if (canTileSmall(p, t) && p.O / p.groups >= 16) return 'small channel tiled';
  if (!t.software || p.O / p.groups < 8 || !hasSubgroups(p, t)) return 'direct';
  return p.C / p.groups <= 32 ? 'small channel' : 'subgroup';
}

export const conv2dDwVariants = variantTable({
  name: 'conv2d_dw',
  classOf,
  heuristic,
  samples: samples(xSize, ySize, wSize),
  variants: [
    {
      name: 'direct',
      why: 'everything, everywhere, 8 × 4 a thread, pixels in slices: 2.58 GFLOP/s for 32→64 at 16² on SwiftShader',
      supports: always,
      launch: directLaunch,
    },
    {
      name: 'subgroup',
      why: 'software above 32 channels: 4.6 GFLOP/s for 512→512 at 4² on SwiftShader',
      supports: hasSubgroups,
      launch: subgroupLaunch,
    },
    {
      name: 'small channel',
      why: 'software up to 32 channels: 2.63 GFLOP/s for 3→64 at 32² on SwiftShader, direct 0.80',
      supports: hasSubgroups,
      launch: smallLaunch,
    },
    {
      name: 'tiled 64',
      why: 'graphics cards, 8 × 8 a thread by vec4: 21 to 27 TFLOP/s in a ResNet-50 step on an H200',
      supports: canTile,
      launch: tileLaunch(tiled.get(64)!, 64),
    },
    {
      name: 'tiled 128',
      why: 'tiled 64 where filters have enough tiles of 128: half the loads; measured only together with it',
      supports: canTile,
      launch: tileLaunch(tiled.get(128)!, 128),
    },
    {
      name: 'small channel tiled',
      why: 'graphics cards, channels that do not divide by 4: with y 9 of 401 ms of a ResNet-50 step on an H200',
      supports: canTileSmall,
      launch: tileLaunch(smallTiled, 64),
    },
    {
      name: 'matrix',
      why: 'f16 on tensor cores: 55 TFLOP/s in a ResNet-50 step of 256 pictures on an H200',
      supports: canMatrix,
      launch: (p, t) => tileLaunch(matrix(p.O / p.groups, (p.R * p.S * p.C) / p.groups), 128)(p, t),
    },
    {
      name: 'depthwise',
      why: 'each channel by itself: 0.44 GFLOP/s for 64 channels at 32² on SwiftShader, direct 0.05',
      supports: isDepthwise,
      launch: depthwiseLaunch,
    },
    {
      name: 'product',
      why: '1×1 without stride is a matrix product as it lies: 15 to 30 TFLOP/s in a ResNet-50 step on an H200',
      supports: isProduct,
      // dw = dyᵀ x
      launch: (p, t) => rebind(matmulGpu(product(p.O, p.C, pixelsOf(p), { aT: true, half: p.half }), t), [1, 0, 2]),
    },
  ],
});
export const conv2dDwGpu = launchOf(conv2dDwVariants);
