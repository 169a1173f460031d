import matrixSource from '../../kernels/matmul_matrix.wgsl';
import type { Backend } from '../backend/backend.js';
import type { Variant } from '../backend/variants.js';
import type { Traits } from '../gpu/device.js';
import type { Tuning } from '../gpu/preprocess.js';
import type { MatmulParams } from '../reference/matmul.js';
import type { F32Block, MatmulTools, MatrixBlock } from './matmul_parts.js';

const why: Record<MatrixBlock['name'], string> = {
  'matrix 128×128×64':
    'f16, NT with 48 KiB of workgroup memory: 257 TFLOP/s at 4096³ on an H200, a probe of this design',
  'matrix 128×128': 'f16, much work: 273 and 309 TFLOP/s (NN, TN) at 4096³ on an H200, a probe of this design',
  'matrix 128×64': 'f16, few tiles of 128 or few columns: 110 TFLOP/s at 1024³ on an H200, a probe of this design',
  'matrix 64×64': 'f16, 64 columns: 2.2 TB/s for 1×1 of 256 to 64 channels on an H200, the probe of this design',
  'matrix 32×32':
    'f16, little work: 48 TFLOP/s at 512³, 7 µs for 256×128×2048 in 8 parts on an H200, the probe of this design',
};

const whyF32: Record<F32Block['name'], string> = {
  'f32 matrix 128×128':
    'f32, much work: 93 to 114 TFLOP/s at 4096³ on an H200, a probe of this design without scales; FMA 47 at most',
  'f32 matrix 128×64': 'f32, few tiles of 128: not yet measured',
  'f32 matrix 64×64': 'f32, 64 columns, few tiles: not yet measured',
  'f32 matrix 32×32': 'f32, little work: not yet measured',
};

/** The variants of products for tensor cores. */
export function matmulMatrices(
  tools: MatmulTools,
): readonly Variant<MatmulParams, MatrixBlock['name'] | F32Block['name']>[] {
  const { matrixBlocks, f32Blocks, canMatrix, canF32 } = tools;
  const run = inMatrices(tools);
  return [
    ...matrixBlocks.map((b) => ({
      name: b.name,
      why: why[b.name],
      supports: (p: MatmulParams, t: Traits) => canMatrix(b, p, t),
      ...run(b),
    })),
    ...f32Blocks.map((b) => ({
      name: b.name,
      why: whyF32[b.name],
      supports: (p: MatmulParams, t: Traits) => canF32(b, p, t),
      ...run(b, tuningF32(b)),
    })),
  ];
}

/** How variants of blocks on tensor cores run. */
function inMatrices(
  { tunedKernels, inBlocks, aT, bT, isAligned, threadsOf }: MatmulTools,
  kernels = tunedKernels('matmul_matrix', matrixSource),
): (b: MatrixBlock | F32Block, always?: Tuning) => Pick<Variant<MatmulParams>, 'launch' | 'epilogue'> {
  return (b, always) => {
    const loads = (side: number) => (side * b.deep) / 8 / threadsOf(b);
    const size = { HEIGHT: b.height, WIDTH: b.width, DEEP: b.deep, TALL: b.tall, WIDE: b.wide, SLICES: b.deep / 16 };
    const each = { ...size, A_LOADS: loads(b.height), B_LOADS: loads(b.width), ...always };
    return inBlocks(b, 16 * b.tall, (p, _, epilogue) => {
      const ALIGNED = Number(isAligned(p, 8));
      const more = { BIAS: Number(epilogue === 'BIAS'), STATS: Number(epilogue === 'STATS'), ROWS: b.tall };
      if (more.STATS && !ALIGNED) return undefined;
      return kernels({ ...each, ALIGNED, TAIL: Number(p.K % b.deep > 0), A_T: aT(p), B_T: bT(p), ...more });
    });
  };
}

const tuningF32 = ({ ahead }: F32Block): Tuning => ({ LOW: 1, AHEAD: ahead });

/** The largest error that f32 may have as f16 on tensor cores, over the root mean square of sums of 4096 products. */
const BOUND = 1e-4;

/**
 * Multiplies [M, K] by [N, K] in the smallest block, two of each: plain ones, and ones of which a single value is 2^20
 * times as large, where the block's scale does not expect it.
 *
 * @returns the trait that says so, where errors stay within the bound.
 */
export async function tryF32(tools: MatmulTools, on: Backend, K = 4096): Promise<Partial<Traits>> {
  const block = tools.f32Blocks[tools.f32Blocks.length - 1];
  const [M, N] = [block.height, block.width];
  const p: MatmulParams = {
    batch: 2,
    M,
    N,
    K,
    aBatch: M * K,
    bBatch: N * K,
    aRow: K,
    aCol: 1,
    bRow: 1,
    bCol: K,
    half: 0,
  };
  const [a, b] = [numbers(2 * M * K, 1), numbers(2 * N * K, 2)];
  a[(M + 3) * K + 77] *= 2 ** 20;
  const launch = inMatrices(tools)(block, tuningF32(block)).launch(p, { ...on.traits!, parallelGroups: 1 });
  const memory = [a, b, new Float32Array(2 * M * N)].map((values) => {
    const storage = on.alloc('f32', values.length);
    on.write(storage, values);
    return storage;
  });
  try {
    on.run({ name: 'matmul', gpu: () => launch }, memory, p);
    const c = (await on.read(memory[2])) as Float32Array;
    const error = Math.max(errorOf(a, b, c, p), errorOf(a.subarray(M * K), b.subarray(N * K), c.subarray(M * N), p));
    return error <= BOUND ? { f32Matrices: error } : {};
  } finally {
    for (const storage of memory) on.free(storage);
  }
}

/** Evenly spread over -1 to 1, the same every time. */
function numbers(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** The largest error of c = a bᵀ over its root mean square; NaN stays. */
function errorOf(a: Float32Array, b: Float32Array, c: Float32Array, { M, N, K }: MatmulParams): number {
  let [largest, squares] = [0, 0];
  for (let i = 0; i < M; i++)
    for (let j = 0; j < N; j++) {
      let dot = 0;
      for (let k = 0; k < K; k++) dot += a[i * K + k] * b[j * K + k];
      largest = Math.max(largest, Math.abs(c[i * N + j] - dot));
      squares += dot * dot;
    }
  return largest / Math.sqrt(squares / (M * N));
}
