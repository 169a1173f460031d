import directSource from '../../kernels/matmul.wgsl';
import matrixSource from '../../kernels/matmul_matrix.wgsl';
import subgroupSource from '../../kernels/matmul_subgroup.wgsl';
import tiledSource from '../../kernels/matmul_tiled.wgsl';
import tiledF16Source from '../../kernels/matmul_tiled_f16.wgsl';
import wideSource from '../../kernels/matmul_wide.wgsl';
import type { Launch, Plan } from '../backend/backend.js';
import {
  type Epilogue,
  launchOf,
  type Sample,
  type Variant,
  variantTable,
  type WithStatistics,
} from '../backend/variants.js';
import { ceilDiv } from '../core/ceil-div.js';
import type { Traits } from '../gpu/device.js';
import { type Kernel, kernel } from '../gpu/kernel.js';
import type { Tuning } from '../gpu/preprocess.js';
import type { MatmulParams } from '../reference/matmul.js';
import { reduceLaunch } from './reduce_launch.js';

/** A product and a sum for every step of k of every element. */
export const matmulFlops = ({ batch, M, N, K }: MatmulParams): number => 2 * batch * M * N * K;

/** Steps of k that a part of a split product sums at least. */
const LEAST_CHUNK = 256;

const aT = (p: MatmulParams) => (p.aRow === 1 && p.aCol !== 1 ? 1 : 0);
const bT = (p: MatmulParams) => (p.bRow === 1 && p.bCol !== 1 ? 1 : 0);

/** Whether a product's result is stored as f16, and its factors may be. */
export const storesF16 = (p: { half?: 0 | 1 }, t: Traits): boolean => p.half === 1 && t.f16;

/** Whether each operand's contiguous axis divides by 4, so that it can be read by vec4. */
const byFour = (p: MatmulParams) => (aT(p) ? p.M : p.K) % 4 === 0 && (bT(p) ? p.K : p.N) % 4 === 0;

/**
 * A launch over tiles of height × width; K is split, and its parts added in order, where there are too few tiles to
 * keep the adapter busy.
 */
function tiles(
  k: Kernel,
  height: number,
  width: number,
  p: MatmulParams,
  traits: Traits,
  constants?: Record<string, number>,
): Launch | Plan {
  const groups = p.batch * ceilDiv(p.M, height) * ceilDiv(p.N, width);
  const parts = Math.max(
    1,
    Math.min(Math.floor(traits.parallelGroups / Math.max(1, groups)), Math.floor(p.K / LEAST_CHUNK)),
  );
  const chunk = 32 * ceilDiv(p.K, 32 * parts);
  const split = Math.max(1, ceilDiv(p.K, Math.max(1, chunk)));
  const launch = {
    kernel: k,
    constants,
    params: { ...p, split, chunk },
    groups: groups * split,
    flops: matmulFlops(p),
  };
  if (split === 1) return launch;
  const size = p.M * p.N;
  return {
    scratch: [p.batch * split * size],
    launches: [
      { ...launch, bind: [0, 1, 3] },
      { ...reduceLaunch({ op: 'sum', A: p.batch, R: split, B: size, scale: 1 }), bind: [3, 2] },
    ],
  };
}

/** A kernel, and its variant with a bias. */
type Pair = readonly [plain: Kernel, biased: Kernel];
const pair = (file: string, source: string, tuning?: Tuning, more?: Tuning): Pair => [
  kernel(file, source, tuning),
  kernel(file, source, { ...tuning, ...more, BIAS: 1 }),
];

/**
 * A kernel for tensor cores, for results of so many rows and columns. One that stores whole tiles is bound to room for
 * a matrix at least, whatever it stores; a result without a whole tile may be smaller, and takes the text that stores
 * none.
 */
export function byWhole(file: string, source: string, tuning: Tuning): (rows: number, columns: number) => Kernel {
  const [parts, whole] = [0, 1].map((WHOLE) => kernel(file, source, { ...tuning, WHOLE }));
  return (rows, columns) => (Math.min(rows, columns) >= 128 ? whole : parts);
}

const direct = pair('matmul', directSource);
const tiled64 = pair('matmul_tiled', tiledSource);
const tiled32 = pair('matmul_tiled', tiledSource, { TILE: 32, LOADS: 8 });
const tiledF16 = pair('matmul_tiled_f16', tiledF16Source);
const wide = pair('matmul_wide', wideSource);
const wideStats = kernel('matmul_wide', wideSource, { STATS: 1 });
const subgroupKernels = new Map(
  [4, 8].map((SUBGROUP) => [SUBGROUP, kernel('matmul_subgroup', subgroupSource, { SUBGROUP, COLUMNS: 32 / SUBGROUP })]),
);
const matrix = [0, 1].map((A_T) => [0, 1].map((B_T) => byWhole('matmul_matrix', matrixSource, { A_T, B_T })));
const matrixBiased = [0, 1].map((A_T) =>
  [0, 1].map((B_T) => kernel('matmul_matrix', matrixSource, { A_T, B_T, WHOLE: 0, BIAS: 1 })),
);
const matrixStats = kernel('matmul_matrix', matrixSource, { B_T: 1, WHOLE: 0, STATS: 1 });

/** The one launch of a kernel whose tiles' sums are whole: one matrix, K not split. */
function whole(
  k: Kernel,
  height: number,
  width: number,
  p: MatmulParams,
  t: Traits,
  constants?: Record<string, number>,
): Launch | undefined {
  const launch = tiles(k, height, width, p, t, constants);
  return p.batch === 1 && 'kernel' in launch ? launch : undefined;
}

/** Statistics of tiles of `rows`. */
function statistics(k: Kernel, rows: number, p: MatmulParams, t: Traits): WithStatistics | undefined {
  const launch = whole(k, 128, 128, p, t, { HALF: Number(storesF16(p, t)) });
  return launch && { rows, launch };
}

type Of = Variant<MatmulParams>;

/**
 * How a variant of tiles of height × width runs. Software gains nothing from a bias in the store, and would compile one
 * more kernel.
 */
function tiled(
  height: number,
  width: number,
  of: (p: MatmulParams, t: Traits) => Pair,
  constants?: Record<string, number>,
): Pick<Of, 'launch'> & { epilogue: Epilogue<MatmulParams> } {
  return {
    launch: (p, t) => tiles(of(p, t)[0], height, width, p, t, constants),
    epilogue: {
      bias: (p, t) => {
        const [, k] = of(p, t);
        const launch = !t.software && whole(k, height, width, p, t, constants);
        return launch ? { ...launch, bind: [0, 1, 3, 2] } : undefined;
      },
    },
  };
}

/** Whether kernels for tensor cores run (kernels/lib/matrix). */
export const hasMatrices = (t: Traits): boolean => t.subgroupMatrix && t.subgroup === 32 && t.workgroupMemory >= 32768;

const canWide = (p: MatmulParams, t: Traits) => !t.software && byFour(p) && p.N % 4 === 0;
const canMatrix = (p: MatmulParams, t: Traits) => p.half === 1 && hasMatrices(t) && byFour(p);
/** The kernel for tensor cores, and the one with a bias. */
const matrixPair = (p: MatmulParams): Pair => [matrix[aT(p)][bT(p)](p.M, p.N), matrixBiased[aT(p)][bT(p)]];

/**
 * Whether one tile of `row` is as high as the product, and no wider: on software where it wins, by up to 2, and
 * narrower ones lose by up to 3.
 */
const isRow = (p: MatmulParams): boolean => p.M <= 4 && p.N >= 256;

/**
 * By traits alone. On software the subgroup kernel wins everywhere else; on graphics cards the largest tile that still
 * makes a tile for every fourth group.
 */
function heuristic(p: MatmulParams, t: Traits) {
  if (t.software) return isRow(p) ? 'row' : subgroupKernels.has(t.subgroup) ? 'subgroup' : 'direct';
  if (p.M <= 8) return 'row';
  if (p.N <= 8) return 'column';
  const enough = (side: number) => 4 * p.batch * ceilDiv(p.M, side) * ceilDiv(p.N, side) >= t.parallelGroups;
  if (storesF16(p, t)) return canMatrix(p, t) && Math.min(p.M, p.N) >= 64 ? 'matrix' : 'tiled f16';
  if (enough(128) && canWide(p, t)) return 'wide';
  return enough(64) ? 'tiled 64' : 'tiled 32';
}

/** Transposes, precision and proportions: what decides between variants. */
function classOf(p: MatmulParams): string {
  const volume = p.M * p.N * p.K;
  const thin = isRow(p) ? 'row' : p.M <= 8 ? 'rows' : p.N <= 8 ? 'column' : undefined;
  const long = p.K >= 16 * Math.max(p.M, p.N) ? 'deep' : p.M >= 16 * p.N ? 'tall' : undefined;
  const form = thin ?? long ?? (volume < 2 ** 21 ? 'small' : volume < 2 ** 30 ? 'medium' : 'large');
  return `${'NT'[aT(p)]}${'NT'[bT(p)]} ${form}${p.half ? ' f16' : ''}`;
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
const [wideTiles, matrixTiles] = [tiled(128, 128, () => wide), tiled(128, 128, matrixPair)];
/** Of a convolution's transposes. */
const matrixStatistics: Epilogue<MatmulParams>['statistics'] = (p, t) =>
  aT(p) === 0 && bT(p) === 1 ? statistics(matrixStats, 64, p, t) : undefined;

/**
 * From the kernel that serves everything to the ones for much work on large adapters. SwiftShader is on 2 cores.
 */
export const matmulVariants = variantTable({
  name: 'matmul',
  classOf,
  heuristic,
  samples,
  variants: [
    {
      name: 'direct',
      why: 'everything, everywhere, 4 × 4 a thread: 2.95 GFLOP/s at 256³ on SwiftShader',
      supports: always,
      ...tiled(16, 64, () => direct),
    },
    {
      name: 'row',
      why: 'few rows: 1.28 to 1.77 times as fast as subgroup for NT 1 × 512 × 512 on SwiftShader, slower below 64',
      supports: always,
      ...tiled(4, 256, () => direct, { LANES: 64, HEIGHT: 1 }),
    },
    {
      name: 'column',
      why: 'few columns: row, of the other factor; not measured',
      supports: always,
      ...tiled(64, 16, () => direct, { LANES: 4, HEIGHT: 16 }),
    },
    {
      name: 'subgroup',
      why: 'software, where a load costs ten products: a subgroup loads once, 5.65 GFLOP/s at 256³ on SwiftShader',
      supports: (_, t) => subgroupKernels.has(t.subgroup),
      launch: (p, t) => tiles(subgroupKernels.get(t.subgroup)!, 16, 32, p, t),
    },
    {
      name: 'tiled 32',
      why: 'graphics cards where larger tiles would be too few: 4.1 to 5.7 TFLOP/s at 512³ on an H200',
      supports: always,
      ...tiled(32, 32, () => tiled32),
    },
    {
      name: 'tiled 64',
      why: 'graphics cards, in general: 13 to 19 TFLOP/s at 1024³ on an H200',
      supports: always,
      ...tiled(64, 64, () => tiled64),
    },
    {
      name: 'wide',
      why: 'graphics cards with work for tiles of 128: 33 TFLOP/s at 4096³ in f32 on an H200',
      supports: canWide,
      ...wideTiles,
      epilogue: { ...wideTiles.epilogue, statistics: (p, t) => statistics(wideStats, 128, p, t) },
    },
    {
      name: 'tiled f16',
      why: 'f16 without matrices: half the bytes of tiled 64; not measured',
      supports: storesF16,
      ...tiled(64, 64, () => tiledF16),
    },
    {
      name: 'matrix',
      why: 'f16 on tensor cores: 62 to 101 TFLOP/s at 4096³ on an H200',
      supports: canMatrix,
      ...matrixTiles,
      epilogue: { ...matrixTiles.epilogue, statistics: matrixStatistics },
    },
  ],
});
export const matmulGpu = launchOf(matmulVariants);
