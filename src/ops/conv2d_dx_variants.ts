import source from '../../kernels/conv2d_dx.wgsl';
import depthwiseSource from '../../kernels/conv2d_dx_depthwise.wgsl';
import matrixSource from '../../kernels/conv2d_dx_matrix.wgsl';
import smallSource from '../../kernels/conv2d_dx_small_channel.wgsl';
import subgroupSource from '../../kernels/conv2d_dx_subgroup.wgsl';
import tiledSource from '../../kernels/conv2d_dx_tiled.wgsl';
import type { Launch } from '../backend/backend.js';
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
  classOf,
  classPixels,
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
import { byWhole, matmulGpu } from './matmul_variants.js';

type P = Conv2dParams;
const direct = byColumns('conv2d_dx', source);
const subgroupKernels = bySubgroup('conv2d_dx_subgroup', subgroupSource);
const small = bySubgroup('conv2d_dx_small_channel', smallSource, () => ({}));
const tiled = bySide('conv2d_dx_tiled', tiledSource);
const matrix = byWhole('conv2d_dx_matrix', matrixSource, {});
const depthwise = kernel('conv2d_dx_depthwise', depthwiseSource);

/** Every class of pixels gets as many workgroups as the largest needs. */
const byClass = (k: Kernel, p: P, groupsPerClass: number, constants?: Record<string, number>): Launch => ({
  kernel: k,
  constants,
  params: { ...p, groupsPerClass },
  groups: groupsPerClass * p.strideH * p.strideW,
  flops: conv2dFlops(p),
});

function directLaunch(p: P, { software }: Traits): Launch {
  const { blocks, LANES, kernel: k, constants } = tiling(direct, p.C / p.groups, software);
  return byClass(k, p, ceilDiv(ceilDiv(classPixels(p), 8) * p.groups * blocks * LANES, 64), constants);
}

const subgroupLaunch = (p: P, { subgroup }: Traits): Launch =>
  byClass(subgroupKernels.get(subgroup)!, p, ceilDiv(classPixels(p), 16) * p.groups * ceilDiv(p.C / p.groups, 32));

const smallLaunch = (p: P, { subgroup }: Traits): Launch =>
  byClass(small.get(subgroup)!, p, ceilDiv(classPixels(p), 16) * p.groups);

const tileLaunch = (k: Kernel, side: number, p: P): Launch =>
  byClass(k, p, ceilDiv(classPixels(p), side) * p.groups * ceilDiv(p.C / p.groups, side));

const depthwiseLaunch = (p: P): Launch => byClass(depthwise, p, ceilDiv(ceilDiv(classPixels(p), 8) * p.C, 64));

const fillsSubgroups = (p: P, { subgroup }: Traits) =>
  subgroupKernels.has(subgroup) && (p.O / p.groups) % subgroup === 0;
const canSmall = (p: P, { subgroup }: Traits) => small.has(subgroup) && p.C / p.groups <= 4;

/** By traits alone, as for y. */
function heuristic(p: P, t: Traits) {
  if (isProduct(p)) return 'product';
  if (isDepthwise(p)) return 'depthwise';
  if (fillsMatrices(p, t)) return 'matrix';
  if (fillsTiles(p, t)) return tiledVariant(classPixels(p) * p.strideH * p.strideW, p.C / p.groups, t);
  if (!t.software) return 'direct';
  if (fillsSubgroups(p, t) && p.C / p.groups >= 24) return 'subgroup';
  return canSmall(p, t) ? 'small channel' : 'direct';
}

export const conv2dDxVariants = variantTable({
  name: 'conv2d_dx',
  classOf,
  heuristic,
  samples: samples(ySize, wSize, xSize),
  variants: [
    {
      name: 'direct',
      why: 'everything, everywhere, 8 pixels × 4 channels a thread: 2.35 GFLOP/s for 32→64 at 16² on SwiftShader',
      supports: always,
      launch: directLaunch,
    },
    {
      name: 'subgroup',
      why: 'software from 24 channels on: 4.48 GFLOP/s for 32→64 at 16² on SwiftShader, direct 2.35',
      supports: fillsSubgroups,
      launch: subgroupLaunch,
    },
    {
      name: 'small channel',
      why: 'software, the gradient of a picture: 3→64 at 32² went from 1.2 to 2.5 times jax-js on SwiftShader',
      supports: canSmall,
      launch: smallLaunch,
    },
    {
      name: 'tiled 64',
      why: 'graphics cards, 8 × 8 a thread by vec4: 23 to 24 TFLOP/s in a ResNet-50 step on an H200',
      supports: canTile,
      launch: (p) => tileLaunch(tiled.get(64)!, 64, p),
    },
    {
      name: 'tiled 128',
      why: 'tiled 64 where tiles of 128 still fill the card: half the loads; measured only together with it',
      supports: canTile,
      launch: (p) => tileLaunch(tiled.get(128)!, 128, p),
    },
    {
      name: 'matrix',
      why: 'f16 on tensor cores: 48 TFLOP/s in a ResNet-50 step of 256 pictures on an H200',
      supports: canMatrix,
      launch: (p) => tileLaunch(matrix(classPixels(p), p.C / p.groups), 128, p),
    },
    {
      name: 'depthwise',
      why: 'each channel by itself: 0.16 GFLOP/s for 64 channels at 32² on SwiftShader, direct 0.05',
      supports: isDepthwise,
      launch: depthwiseLaunch,
    },
    {
      name: 'product',
      why: '1×1 without stride is a matrix product as it lies: 15 to 30 TFLOP/s in a ResNet-50 step on an H200',
      supports: isProduct,
      launch: (p, t) => matmulGpu(product(pixelsOf(p), p.C, p.O, { half: p.half }), t), // dx = dy w
    },
  ],
});
export const conv2dDxGpu = launchOf(conv2dDxVariants);
