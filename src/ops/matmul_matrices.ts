import matrixSource from '../../kernels/matmul_matrix.wgsl';
import type { Variant } from '../backend/variants.js';
import type { Kernel } from '../gpu/kernel.js';
import type { Tuning } from '../gpu/preprocess.js';
import type { MatmulParams } from '../reference/matmul.js';
import type { MatmulTools, Pair } from './matmul_parts.js';

/**
 * A kernel for tensor cores, for results of so many rows and columns. One that stores whole tiles is bound to room for
 * a matrix at least, whatever it stores; a result without a whole tile may be smaller, and takes the text that stores
 * none.
 */
export function byWhole(
  { kernel }: Pick<MatmulTools, 'kernel'>,
  file: string,
  source: string,
  tuning: Tuning,
): (rows: number, columns: number) => Kernel {
  const [parts, whole] = [0, 1].map((WHOLE) => kernel(file, source, { ...tuning, WHOLE }));
  return (rows, columns) => (Math.min(rows, columns) >= 128 ? whole : parts);
}

/** The variants of products for tensor cores. */
export function matmulMatrices(tools: MatmulTools): readonly Variant<MatmulParams, 'matrix'>[] {
  const { kernel, tiled, statistics, aT, bT, canMatrix } = tools;
  const bits = [0, 1];
  const matrix = bits.map((A_T) => bits.map((B_T) => byWhole(tools, 'matmul_matrix', matrixSource, { A_T, B_T })));
  const biased = bits.map((A_T) =>
    bits.map((B_T) => kernel('matmul_matrix', matrixSource, { A_T, B_T, WHOLE: 0, BIAS: 1 })),
  );
  const stats = kernel('matmul_matrix', matrixSource, { B_T: 1, WHOLE: 0, STATS: 1 });
  /** The kernel, and the one with a bias. */
  const pairOf = (p: MatmulParams): Pair => [matrix[aT(p)][bT(p)](p.M, p.N), biased[aT(p)][bT(p)]];
  const tiles = tiled(128, 128, pairOf);
  return [
    {
      name: 'matrix',
      why: 'f16 on tensor cores: 62 to 101 TFLOP/s at 4096³ on an H200',
      supports: canMatrix,
      ...tiles,
      epilogue: {
        ...tiles.epilogue,
        // of a convolution's transposes
        statistics: (p, t) => (aT(p) === 0 && bT(p) === 1 ? statistics(stats, 64, p, t) : undefined),
      },
    },
  ];
}
