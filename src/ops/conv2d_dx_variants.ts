import source from '../../kernels/conv2d_dx.wgsl';
import depthwiseSource from '../../kernels/conv2d_dx_depthwise.wgsl';
import type { Launch } from '../backend/backend.js';
import { launchOf, variantTable } from '../backend/variants.js';
import { ceilDiv } from '../core/ceil-div.js';
import type { Traits } from '../gpu/device.js';
import { kernel } from '../gpu/kernel.js';
import type { Conv2dParams } from '../reference/conv2d.js';
import {
  always,
  byClass,
  byColumns,
  classOf,
  classPixels,
  conv2dTools,
  f32BlockOf,
  fillsF32,
  fillsMatrices,
  fillsSubgroups,
  fillsTiles,
  isDepthwise,
  isProduct,
  matrixBlockOf,
  pixelsOf,
  product,
  samples,
  tiledBlockOf,
  tiling,
  wSize,
  xSize,
  ySize,
} from './conv2d_parts.js';
import { hasMatrices, hasSubgroups } from './matmul_parts.js';
import { matmulGpu } from './matmul_variants.js';

type P = Conv2dParams;
const direct = byColumns('conv2d_dx', source);
const depthwise = kernel('conv2d_dx_depthwise', depthwiseSource);

function directLaunch(p: P, { software }: Traits): Launch {
  const { blocks, LANES, kernel: k, constants } = tiling(direct, p.C / p.groups, software);
  return byClass(k, p, ceilDiv(ceilDiv(classPixels(p), 8) * p.groups * blocks * LANES, 64), constants);
}

const depthwiseLaunch = (p: P): Launch => byClass(depthwise, p, ceilDiv(ceilDiv(classPixels(p), 8) * p.C, 64));

/** By traits alone, as for y. */
function heuristic(p: P, t: Traits) {
  if (isProduct(p)) return 'product';
  if (isDepthwise(p)) return 'depthwise';
  if (fillsMatrices(p, t)) return matrixBlockOf('dx', p, t);
  if (fillsF32('dx', p, t)) return f32BlockOf('dx', p, t);
  if (fillsTiles(p, t)) return tiledBlockOf('dx', p, t);
  if (!t.software) return 'direct';
  if (fillsSubgroups(p.O / p.groups, t) && p.C / p.groups >= 24) return 'subgroup';
  return hasSubgroups(t) && p.C / p.groups <= 4 ? 'small channel' : 'direct';
}

export const conv2dDxVariants = variantTable({
  name: 'conv2d_dx',
  classOf,
  heuristic,
  samples: samples(ySize, wSize, xSize),
  parts: [
    {
      when: (t) => t.software,
      load: () => import('./conv2d_software.js').then((m) => m.conv2dDxSoftware(conv2dTools)),
    },
    { when: (t) => !t.software, load: () => import('./conv2d_cards.js').then((m) => m.conv2dDxCards(conv2dTools)) },
    { when: hasMatrices, load: () => import('./conv2d_matrices.js').then((m) => m.conv2dDxMatrices(conv2dTools)) },
  ],
  variants: [
    {
      name: 'direct',
      why: 'everything, everywhere, 8 pixels × 4 channels a thread: 2.35 GFLOP/s for 32→64 at 16² on SwiftShader',
      supports: always,
      launch: directLaunch,
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
      launch: (p, t) => matmulGpu(product(pixelsOf(p), p.C, p.O, { half: p.half, exact: p.exact }), t), // dx = dy w
    },
  ],
});
export const conv2dDxGpu = launchOf(conv2dDxVariants);
