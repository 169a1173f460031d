import source from '../../kernels/conv2d.wgsl';
import depthwiseSource from '../../kernels/conv2d_depthwise.wgsl';
import type { Backend, Launch, Plan } from '../backend/backend.js';
import { Choice, choose, launchOf, variantTable } from '../backend/variants.js';
import { ceilDiv } from '../core/ceil-div.js';
import type { Traits } from '../gpu/device.js';
import { kernel } from '../gpu/kernel.js';
import type { Conv2dParams } from '../reference/conv2d.js';
import type { MatmulParams } from '../reference/matmul.js';
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
import { matmulGpu, matmulVariants } from './matmul_variants.js';
import { stridedLaunch } from './strided.js';

type P = Conv2dParams;
const direct = byColumns('conv2d', source);
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

/** y = x wᵀ */
const asProduct = (p: P) => product(pixelsOf(p), p.O, p.C, { bT: true, half: p.half, exact: p.exact });

const depthwiseLaunch = (p: P): Launch => ({
  kernel: depthwise,
  params: { ...p },
  groups: ceilDiv(ceilDiv(pixelsOf(p), 8) * p.C, 64),
  flops: conv2dFlops(p),
});

/**
 * By traits alone. On software the subgroup kernels win wherever there are channels to tile, on graphics cards the
 * tiled ones; products are matmul's.
 */
function heuristic(p: P, t: Traits) {
  if (isProduct(p)) return 'product';
  if (isDepthwise(p)) return 'depthwise';
  if (fillsMatrices(p, t)) return matrixBlockOf('y', p, t);
  if (fillsMatricesSmall(p, t)) return 'small channel matrix';
  if (fillsF32('y', p, t)) return f32BlockOf('y', p, t);
  if (fillsTiles(p, t)) return tiledBlockOf('y', p, t);
  if (canTileSmall(p, t) && p.O / p.groups >= 16) return 'small channel tiled';
  if (!t.software || p.O / p.groups < 8 || !hasSubgroups(t)) return 'direct';
  return fillsSubgroups(p.C / p.groups, t) && p.C / p.groups >= 32 ? 'subgroup' : 'small channel';
}

export const conv2dVariants = variantTable({
  name: 'conv2d',
  classOf,
  heuristic,
  samples: samples(xSize, wSize, ySize),
  parts: [
    { when: (t) => t.software, load: () => import('./conv2d_software.js').then((m) => m.conv2dSoftware(conv2dTools)) },
    { when: (t) => !t.software, load: () => import('./conv2d_cards.js').then((m) => m.conv2dCards(conv2dTools)) },
    { when: hasMatrices, load: () => import('./conv2d_matrices.js').then((m) => m.conv2dMatrices(conv2dTools)) },
  ],
  variants: [
    {
      name: 'direct',
      why: 'everything, everywhere, 8 pixels × 4 channels a thread: 2.30 GFLOP/s for 32→64 at 16² on SwiftShader',
      supports: always,
      launch: directLaunch,
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
