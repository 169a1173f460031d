import matrixSource from '../../kernels/conv2d_matrix.wgsl';
import smallSource from '../../kernels/conv2d_small_channel_matrix.wgsl';
import dwMatrixSource from '../../kernels/conv2d_dw_matrix.wgsl';
import dwSmallSource from '../../kernels/conv2d_dw_small_channel_matrix.wgsl';
import dxMatrixSource from '../../kernels/conv2d_dx_matrix.wgsl';
import type { Variant } from '../backend/variants.js';
import type { Conv2dParams } from '../reference/conv2d.js';
import { dxBlocks, yBlocks } from './conv2d_cards.js';
import type { Conv2dTools, MatrixBlock } from './conv2d_parts.js';

// The variants of a convolution and of its two gradients for tensor cores.

type P = Conv2dParams;
type Name = MatrixBlock['name'] | 'small channel matrix';

/** How a kernel is tuned to a block. */
function sizes({ threadsOf }: Conv2dTools, b: MatrixBlock) {
  const loads = (side: number) => (side * b.deep) / 8 / threadsOf(b);
  const size = { HEIGHT: b.height, WIDTH: b.width, DEEP: b.deep, TALL: b.tall, WIDE: b.wide, SLICES: b.deep / 16 };
  return { ...size, A_LOADS: loads(b.height), B_LOADS: loads(b.width) };
}

export function conv2dMatrices(tools: Conv2dTools): readonly Variant<P, Name>[] {
  const { canMatrix, canMatrixSmall, matrixBlocks, tunedKernels } = tools;
  const [matrix, few] = [
    tunedKernels('conv2d_matrix', matrixSource),
    tunedKernels('conv2d_small_channel_matrix', smallSource),
  ];
  const blocks = (b: MatrixBlock, of: typeof matrix) =>
    yBlocks(tools)(b, 16 * b.tall, (STATS) => of({ ...sizes(tools, b), B_T: 1, STATS, ROWS: b.tall }));
  return [
    ...matrixBlocks.y.map((b) => ({
      name: b.name,
      why: why.y[b.name],
      supports: canMatrix,
      ...blocks(b, matrix),
    })),
    {
      name: 'small channel matrix',
      why: 'f16 on tensor cores',
      supports: canMatrixSmall,
      ...blocks(matrixBlocks.ySmall, few),
    },
  ];
}
