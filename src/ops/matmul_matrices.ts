import matrixSource from '../../kernels/matmul_matrix.wgsl';
import type { Variant } from '../backend/variants.js';
import type { MatmulParams } from '../reference/matmul.js';
import type { MatmulTools, MatrixBlock } from './matmul_parts.js';

const why: Record<MatrixBlock['name'], string> = {
  'matrix 128×128×64':
    'f16, NT with 48 KiB of workgroup memory: 257 TFLOP/s at 4096³ on an H200, a probe of this design',
  'matrix 128×128': 'f16, much work: 273 and 309 TFLOP/s (NN, TN) at 4096³ on an H200, a probe of this design',
  'matrix 128×64': 'f16, few tiles of 128 or few columns: 110 TFLOP/s at 1024³ on an H200, a probe of this design',
  'matrix 64×64': 'f16, 64 columns: 2.2 TB/s for 1×1 of 256 to 64 channels on an H200, the probe of this design',
  'matrix 32×32':
    'f16, little work: 48 TFLOP/s at 512³, 7 µs for 256×128×2048 in 8 parts on an H200, the probe of this design',
};

/** The variants of products for tensor cores. */
export function matmulMatrices(tools: MatmulTools): readonly Variant<MatmulParams, MatrixBlock['name']>[] {
  const { tunedKernels, inBlocks, aT, bT, isAligned, matrixBlocks, threadsOf, canMatrix } = tools;
  const kernels = tunedKernels('matmul_matrix', matrixSource);
  return matrixBlocks.map((b) => {
    const loads = (side: number) => (side * b.deep) / 8 / threadsOf(b);
    const size = { HEIGHT: b.height, WIDTH: b.width, DEEP: b.deep, TALL: b.tall, WIDE: b.wide, SLICES: b.deep / 16 };
    const each = { ...size, A_LOADS: loads(b.height), B_LOADS: loads(b.width) };
    return {
      name: b.name,
      why: why[b.name],
      supports: (p, t) => canMatrix(b, p, t),
      ...inBlocks(b, 16 * b.tall, (p, _, epilogue) => {
        const ALIGNED = Number(isAligned(p, 8));
        const more = { BIAS: Number(epilogue === 'BIAS'), STATS: Number(epilogue === 'STATS'), ROWS: b.tall };
        if (more.STATS && !ALIGNED) return undefined;
        return kernels({ ...each, ALIGNED, TAIL: Number(p.K % b.deep > 0), A_T: aT(p), B_T: bT(p), ...more });
      }),
    };
  });
}
