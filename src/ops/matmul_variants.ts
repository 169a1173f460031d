import directSource from '../../kernels/matmul.wgsl';
import { launchOf, type Sample, variantTable } from '../backend/variants.js';
import type { Traits } from '../gpu/device.js';
import type { MatmulParams } from '../reference/matmul.js';
import {
  aT,
  blockOf,
  bT,
  canF32,
  canMatrix,
  f32Blocks,
  hasMatrices,
  hasRegisters,
  hasSubgroups,
  isAligned,
  matmulTools,
  matrixBlocks,
  pair,
  tiled,
  tiledBlocks,
} from './matmul_parts.js';

const direct = pair('matmul', directSource);

/**
 * Whether one tile of `row` is as high as the product, and no wider: on software where it wins, by up to 2, and
 * narrower ones lose by up to 3.
 */
const isRow = (p: MatmulParams): boolean => p.M <= 4 && p.N >= 256;

/** Whether f32 is multiplied on tensor cores where they serve: elsewhere it is as soon there as it is. */
const isWorthHalving = (p: MatmulParams): boolean => p.batch * p.M * p.N * p.K >= 2 ** 24 && isAligned(p, 8);

/**
 * The largest block that makes a workgroup for every multiprocessor in f16, and two in f32, whose blocks are smaller
 * work, on tensor cores too. Parts of 2048, 512 and 1024 steps of k cost a tenth of their time to add.
 */
function cardHeuristic(p: MatmulParams, t: Traits) {
  if (p.half === 1 && hasMatrices(t)) {
    const blocks = matrixBlocks.filter((b) => b.deep === 32 || (canMatrix(b, p, t) && (b.width < 128 || isNT(p))));
    return blockOf(p, blocks, t.parallelGroups / 4, 2048).name;
  }
  const onMatrices = f32Blocks.filter((b) => canF32(b, p, t));
  if (onMatrices.length > 0 && isWorthHalving(p)) return blockOf(p, onMatrices, t.parallelGroups / 2, 1024).name;
  const blocks = tiledBlocks.filter(({ width }) => width < 256 || hasRegisters(t));
  return blockOf(p, blocks, t.parallelGroups / 2, 512).name;
}
const isNT = (p: MatmulParams): boolean => aT(p) === 0 && bT(p) === 1;

/** By traits alone. On software the subgroup kernel wins everywhere else; on graphics cards blocks by shape. */
function heuristic(p: MatmulParams, t: Traits) {
  if (t.software) return isRow(p) ? 'row' : hasSubgroups(t) ? 'subgroup' : 'direct';
  if (p.M <= 8) return 'row';
  if (p.N <= 8) return 'column';
  return cardHeuristic(p, t);
}

/** Transposes, precision and proportions: what decides between variants. */
function classOf(p: MatmulParams): string {
  const volume = p.M * p.N * p.K;
  const thin = isRow(p) ? 'row' : p.M <= 8 ? 'rows' : p.N <= 8 ? 'column' : undefined;
  const long = p.K >= 16 * Math.max(p.M, p.N) ? 'deep' : p.M >= 16 * p.N ? 'tall' : undefined;
  const form = thin ?? long ?? (volume < 2 ** 21 ? 'small' : volume < 2 ** 30 ? 'medium' : 'large');
  return `${'NT'[aT(p)]}${'NT'[bT(p)]} ${form}${p.half ? ' f16' : p.exact ? ' exact' : ''}`;
}

function sample(kind: string, M: number, N: number, K: number): Sample<MatmulParams> {
  const [a, b] = [kind[0] === 'T', kind[1] === 'T'];
  const params = {
    batch: 1,
    M,
    N,
    K,
    aBatch: 0,
    bBatch: 0,
    aRow: a ? 1 : K,
    aCol: a ? M : 1,
    bRow: b ? 1 : N,
    bCol: b ? K : 1,
    half: 0 as const,
  };
  // weights, and their gradient TN, are f32
  return { params, buffers: [M * K, K * N, M * N], f16: a ? [0, 1] : [0, 2] };
}

/** Forward, gradient of a and gradient of b are NN or NT, NT or NN, and TN. */
const samples = [
  ...['NN', 'NT', 'TN'].map((kind) => sample(kind, 192, 192, 192)),
  sample('NN', 2048, 64, 64),
  sample('NT', 2048, 64, 64),
  sample('TN', 64, 64, 2048),
  ...['NN', 'NT', 'TN'].map((kind) => sample(kind, 64, 64, 64)),
  sample('NT', 1, 512, 512),
  sample('NN', 1, 512, 512),
];

const always = (): boolean => true;
/**
 * From the kernel that serves everything to the ones for much work on large adapters. SwiftShader is on 2 cores.
 */
export const matmulVariants = variantTable({
  name: 'matmul',
  classOf,
  heuristic,
  samples,
  parts: [
    { when: (t) => t.software, load: () => import('./matmul_software.js').then((m) => m.matmulSoftware(matmulTools)) },
    { when: (t) => !t.software, load: () => import('./matmul_cards.js').then((m) => m.matmulCards(matmulTools)) },
    {
      when: hasMatrices,
      load: () => import('./matmul_matrices.js').then((m) => m.matmulMatrices(matmulTools)),
      trial: (on) => import('./matmul_matrices.js').then((m) => m.tryF32(matmulTools, on)),
    },
  ],
  variants: [
    {
      name: 'direct',
      why: 'everything, everywhere, 4 × 4 a thread: 2.95 GFLOP/s at 256³ on SwiftShader',
      supports: always,
      ...tiled(16, 64, direct),
    },
    {
      name: 'row',
      why: 'few rows: 1.28 to 1.77 times as fast as subgroup for NT 1 × 512 × 512 on SwiftShader, slower below 64',
      supports: always,
      ...tiled(4, 256, direct, { LANES: 64, HEIGHT: 1 }),
    },
    {
      name: 'column',
      why: 'few columns: row, of the other factor; not measured',
      supports: always,
      ...tiled(64, 16, direct, { LANES: 4, HEIGHT: 16 }),
    },
  ],
});
export const matmulGpu = launchOf(matmulVariants);
