import dwMatrixSource from '../../kernels/conv2d_dw_matrix.wgsl';
import dwSmallSource from '../../kernels/conv2d_dw_small_channel_matrix.wgsl';
import dxMatrixSource from '../../kernels/conv2d_dx_matrix.wgsl';
import matrixSource from '../../kernels/conv2d_matrix.wgsl';
import smallSource from '../../kernels/conv2d_small_channel_matrix.wgsl';
import type { Variant } from '../backend/variants.js';
import type { Conv2dParams } from '../reference/conv2d.js';
import { dwBlocks, dxBlocks, yBlocks } from './conv2d_cards.js';
import type { Conv2dTools } from './conv2d_parts.js';
import type { OnMatrices } from './matmul_parts.js';

// The variants of a convolution and of its two gradients for tensor cores.

type P = Conv2dParams;
type On<G extends keyof Conv2dTools['onMatrices']> = Conv2dTools['onMatrices'][G][number]['name'];

type F32 = Conv2dTools['f32OnMatrices'][number]['name'];

/** How a kernel is tuned to a block. */
function sizes({ threadsOf }: Conv2dTools, b: OnMatrices) {
  const loads = (side: number) => (side * b.deep) / 8 / threadsOf(b);
  const size = { HEIGHT: b.height, WIDTH: b.width, DEEP: b.deep, TALL: b.tall, WIDE: b.wide, SLICES: b.deep / 16 };
  return { ...size, A_LOADS: loads(b.height), B_LOADS: loads(b.width) };
}

/** The same for steps that are channels of a tap: half as deep where that leaves fewer of them over. */
function tapSizes(tools: Conv2dTools, b: OnMatrices, channels: number) {
  const over = (deep: number) => tools.ceilDiv(channels, deep) * deep;
  const deep = over(32) < over(b.deep) ? 32 : b.deep;
  return { ...sizes(tools, { ...b, deep }), TAIL: Number(channels % deep > 0) };
}

const whyF32 =
  'f32, each factor the sum of two halves: not yet measured; 56 to 82 TFLOP/s for ResNets’ 3×3 on an H200 in a probe ' +
  'of blocks of 128×128 without scales, FMA 27 to 40';

/** Blocks for few channels. */
const ySmall = { name: '128×64', height: 128, width: 64, deep: 32, tall: 4, wide: 2 } as const;
const dwSmall = { name: '64×64', height: 64, width: 64, deep: 32, tall: 2, wide: 2 } as const;
const dwSmallWide = { name: '64×192', height: 64, width: 192, deep: 32, tall: 4, wide: 3 } as const;

export function conv2dMatrices(tools: Conv2dTools): readonly Variant<P, On<'y'> | F32 | 'small channel matrix'>[] {
  const { canF32, canMatrix, canMatrixSmall, f32OnMatrices, onMatrices, tunedKernels } = tools;
  const matrix = tunedKernels('conv2d_matrix', matrixSource);
  const few = tunedKernels('conv2d_small_channel_matrix', smallSource);
  const form = (b: OnMatrices, STATS: 0 | 1) => ({ B_T: 1, STATS, ROWS: b.tall });
  return [
    ...onMatrices.y.map((b) => ({
      name: b.name,
      why: 'f16 on tensor cores: 144 to 230 TFLOP/s for 3×3 on an H200 by a probe of this design; before 40 to 95',
      supports: canMatrix.bind(undefined, 'y', b),
      ...yBlocks(tools)(b, 16 * b.tall, (p, STATS) =>
        matrix({ ...tapSizes(tools, b, p.C / p.groups), ...form(b, STATS) }),
      ),
    })),
    ...f32OnMatrices.map((b) => ({
      name: b.name,
      why: whyF32,
      supports: canF32.bind(undefined, 'y', b),
      ...yBlocks(tools)(b, 16 * b.tall, (p, STATS) =>
        matrix({ ...tapSizes(tools, b, p.C / p.groups), ...form(b, STATS), LOW: 1 }),
      ),
    })),
    {
      name: 'small channel matrix',
      why: 'f16, a picture’s channels: not measured; a probe of 7×7/2 of 4 had 72 TFLOP/s on an H200, f32 tiles 23',
      supports: canMatrixSmall,
      ...yBlocks(tools)(ySmall, 16 * ySmall.tall, (_, STATS) =>
        few({ ...sizes(tools, ySmall), ...form(ySmall, STATS) }),
      ),
    },
  ];
}

export function conv2dDxMatrices(tools: Conv2dTools): readonly Variant<P, On<'dx'> | F32>[] {
  const { canF32, canMatrix, f32OnMatrices, onMatrices, tunedKernels } = tools;
  const matrix = tunedKernels('conv2d_dx_matrix', dxMatrixSource);
  const launch = (b: OnMatrices, LOW: 0 | 1) =>
    dxBlocks(tools)(b, (p) => matrix({ ...tapSizes(tools, b, p.O / p.groups), LOW }));
  return [
    ...onMatrices.dx.map((b) => ({
      name: b.name,
      why: 'f16 on tensor cores: 140 to 211 TFLOP/s for 3×3 on an H200 by a probe of this design; before 28 to 76',
      supports: canMatrix.bind(undefined, 'dx', b),
      launch: launch(b, 0),
    })),
    ...f32OnMatrices.map((b) => ({
      name: b.name,
      why: whyF32,
      supports: canF32.bind(undefined, 'dx', b),
      launch: launch(b, 1),
    })),
  ];
}

export function conv2dDwMatrices(tools: Conv2dTools): readonly Variant<P, On<'dw'> | F32 | 'small channel matrix'>[] {
  const { canF32, canMatrix, canMatrixSmall, ceilDiv, f32OnMatrices, onMatrices, tilesOf, tunedKernels } = tools;
  const matrix = tunedKernels('conv2d_dw_matrix', dwMatrixSource);
  const few = tunedKernels('conv2d_dw_small_channel_matrix', dwSmallSource);
  const axis = (p: P) => p.R * ceilDiv(p.S * p.C, 8) * 8;
  const launchSmall = (b: OnMatrices) =>
    dwBlocks(tools)(
      b,
      (p) => ceilDiv(p.O, b.height) * ceilDiv(axis(p), b.width),
      () => few({ ...sizes(tools, b), A_T: 1 }),
    );
  const launch = (b: OnMatrices, LOW: 0 | 1) =>
    dwBlocks(tools)(
      b,
      (p) => tilesOf(p, b.height, b.width),
      () => matrix({ ...sizes(tools, b), A_T: 1, LOW }),
    );
  const [narrow, wide] = [launchSmall(dwSmall), launchSmall(dwSmallWide)];
  return [
    ...onMatrices.dw.map((b) => ({
      name: b.name,
      why: 'f16 on tensor cores: 126 to 189 TFLOP/s for 3×3 on an H200 by a probe of this design; before 31 to 65',
      supports: canMatrix.bind(undefined, 'dw', b),
      launch: launch(b, 0),
    })),
    ...f32OnMatrices.map((b) => ({
      name: b.name,
      why: whyF32,
      supports: canF32.bind(undefined, 'dw', b),
      launch: launch(b, 1),
    })),
    {
      name: 'small channel matrix',
      why: 'f16, a picture’s channels: not measured; a probe of 7×7/2 of 4 had 67 TFLOP/s on an H200, f32 tiles 16',
      supports: canMatrixSmall,
      launch: (p, t) => (axis(p) > 128 ? wide : narrow)(p, t),
    },
  ];
}
