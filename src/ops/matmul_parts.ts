import type { Launch, Plan } from '../backend/backend.js';
import type { Epilogue, Variant, WithStatistics } from '../backend/variants.js';
import { ceilDiv } from '../core/ceil-div.js';
import type { Traits } from '../gpu/device.js';
import { type Kernel, kernel } from '../gpu/kernel.js';
import type { Tuning } from '../gpu/preprocess.js';
import type { MatmulParams } from '../reference/matmul.js';
import { reduceLaunch } from './reduce_launch.js';

// What the table of products and the parts of it that are loaded on demand share.

/** A product and a sum for every step of k of every element. */
export const matmulFlops = ({ batch, M, N, K }: MatmulParams): number => 2 * batch * M * N * K;

/** Steps of k that a part of a split product sums at least. */
const LEAST_CHUNK = 256;

export const aT = (p: MatmulParams) => (p.aRow === 1 && p.aCol !== 1 ? 1 : 0);
export const bT = (p: MatmulParams) => (p.bRow === 1 && p.bCol !== 1 ? 1 : 0);

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
export type Pair = readonly [plain: Kernel, biased: Kernel];
export const pair = (file: string, source: string, tuning?: Tuning, more?: Tuning): Pair => [
  kernel(file, source, tuning),
  kernel(file, source, { ...tuning, ...more, BIAS: 1 }),
];

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
export function tiled(
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

/** Whether a product is read and written by vec4, and not on software. */
export const canWide = (p: MatmulParams, t: Traits): boolean => !t.software && byFour(p) && p.N % 4 === 0;
/** Whether a kernel for tensor cores serves. */
export const canMatrix = (p: MatmulParams, t: Traits): boolean => p.half === 1 && hasMatrices(t) && byFour(p);
/** Whether a kernel is written for subgroups of this size. */
export const hasSubgroups = ({ subgroup }: Traits): boolean => subgroup === 4 || subgroup === 8;

/**
 * What a part that is loaded on demand makes its variants of. It imports kernels and types alone, so that bundlers give
 * it one file.
 */
export const matmulTools = {
  kernel,
  pair,
  tiles,
  tiled,
  statistics,
  aT,
  bT,
  canWide,
  canMatrix,
  hasSubgroups,
  storesF16,
};
export type MatmulTools = typeof matmulTools;
