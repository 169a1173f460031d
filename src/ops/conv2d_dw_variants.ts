import source from '../../kernels/conv2d_dw.wgsl';
import depthwiseSource from '../../kernels/conv2d_dw_depthwise.wgsl';
import type { Launch, Plan } from '../backend/backend.js';
import { launchOf, variantTable } from '../backend/variants.js';
import { ceilDiv } from '../core/ceil-div.js';
import type { Traits } from '../gpu/device.js';
import { kernel } from '../gpu/kernel.js';
import type { Conv2dParams } from '../reference/conv2d.js';
import {
  always,
  byColumns,
  canTileSmall,
  classOf,
  conv2dFlops,
  conv2dTools,
  f32BlockOf,
  fillsF32,
  fillsMatrices,
  fillsMatricesSmall,
  fillsTiles,
  isDepthwise,
  isProduct,
  matrixBlockOf,
  pixelsOf,
  product,
  rebind,
  samples,
  sliced,
  tiledBlockOf,
  tiling,
  wSize,
  xSize,
  ySize,
} from './conv2d_parts.js';
import { hasMatrices, hasSubgroups } from './matmul_parts.js';
import { matmulGpu } from './matmul_variants.js';

type P = Conv2dParams;
const direct = byColumns('conv2d_dw', source);
const depthwise = kernel('conv2d_dw_depthwise', depthwiseSource);

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

function depthwiseLaunch(p: P, { parallelGroups }: Traits): Launch | Plan {
  const threads = p.C * p.R * ceilDiv(p.S, 4);
  return sliced(p, threads, parallelGroups * 64, (params, all) => ({
    kernel: depthwise,
    params: { ...params },
    groups: ceilDiv(all, 64),
    flops: conv2dFlops(p),
  }));
}

/** By traits alone, as for y. */
function heuristic(p: P, t: Traits) {
  if (isProduct(p)) return 'product';
  if (isDepthwise(p)) return 'depthwise';
  if (fillsMatrices(p, t)) return matrixBlockOf('dw', p, t);
  if (fillsMatricesSmall(p, t)) return 'small channel matrix';
  if (fillsF32('dw', p, t)) return f32BlockOf('dw', p, t);
  if (fillsTiles(p, t)) return tiledBlockOf('dw', p, t);
  if (canTileSmall(p, t) && p.O / p.groups >= 16) return 'small channel tiled';
  if (!t.software || p.O / p.groups < 8 || !hasSubgroups(t)) return 'direct';
  return p.C / p.groups <= 32 ? 'small channel' : 'subgroup';
}

export const conv2dDwVariants = variantTable({
  name: 'conv2d_dw',
  classOf,
  heuristic,
  samples: samples(xSize, ySize, wSize),
  parts: [
    {
      when: (t) => t.software,
      load: () => import('./conv2d_software.js').then((m) => m.conv2dDwSoftware(conv2dTools)),
    },
    { when: (t) => !t.software, load: () => import('./conv2d_cards.js').then((m) => m.conv2dDwCards(conv2dTools)) },
    { when: hasMatrices, load: () => import('./conv2d_matrices.js').then((m) => m.conv2dDwMatrices(conv2dTools)) },
  ],
  variants: [
    {
      name: 'direct',
      why: 'everything, everywhere, 8 × 4 a thread, pixels in slices: 2.58 GFLOP/s for 32→64 at 16² on SwiftShader',
      supports: always,
      launch: directLaunch,
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
      launch: (p, t) =>
        rebind(matmulGpu(product(p.O, p.C, pixelsOf(p), { aT: true, half: p.half, exact: p.exact }), t), [1, 0, 2]),
    },
  ],
});
export const conv2dDwGpu = launchOf(conv2dDwVariants);
