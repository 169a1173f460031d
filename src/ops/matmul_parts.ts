import type { Launch, Plan } from '../backend/backend.js';
import type { Epilogue, Variant } from '../backend/variants.js';
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

/** Whether the contiguous axis of each operand and of the result divides by `n`: all can be read and written by it. */
export const isAligned = (p: MatmulParams, n: number): boolean =>
  (aT(p) ? p.M : p.K) % n === 0 && (bT(p) ? p.K : p.N) % n === 0 && p.N % n === 0;

/**
 * A launch over tiles of height × width; K is split, and its parts added in order, where there are too few tiles to
 * keep the adapter busy, in whole tiles of `deep` steps.
 */
function tiles(
  k: Kernel,
  height: number,
  width: number,
  p: MatmulParams,
  traits: Traits,
  constants?: Record<string, number>,
  deep = 32,
): Launch | Plan {
  const groups = p.batch * ceilDiv(p.M, height) * ceilDiv(p.N, width);
  const parts = Math.max(
    1,
    Math.min(Math.floor(traits.parallelGroups / Math.max(1, groups)), Math.floor(p.K / LEAST_CHUNK)),
  );
  const chunk = deep * ceilDiv(p.K, deep * parts);
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
export const pair = (file: string, source: string): Pair => [kernel(file, source), kernel(file, source, { BIAS: 1 })];

/** The one launch of a kernel whose tiles' sums are whole: one matrix, K not split. */
function whole(
  k: Kernel,
  height: number,
  width: number,
  p: MatmulParams,
  t: Traits,
  constants?: Record<string, number>,
  deep?: number,
): Launch | undefined {
  const launch = tiles(k, height, width, p, t, constants, deep);
  return p.batch === 1 && 'kernel' in launch ? launch : undefined;
}

type Of = Variant<MatmulParams>;

/** What a workgroup computes of a product, rows by columns. */
export interface Block {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  /** Steps of k a tile. */
  readonly deep: number;
}

/** Workgroups that a product's blocks are. */
const groupsOf = (p: MatmulParams, { height, width }: Block): number =>
  p.batch * ceilDiv(p.M, height) * ceilDiv(p.N, width);

/** How many elements of c the blocks have together, those beyond its edges too. */
const covered = (p: MatmulParams, b: Block): number => groupsOf(p, b) * b.height * b.width;

/**
 * The largest block that makes `wanted` workgroups, or would with K split as far as that is cheap, in parts of `cheap`
 * steps; none that computes a quarter more than the smallest does, beyond the edges of c. The smallest where all are
 * too large.
 */
export function blockOf<B extends Block>(p: MatmulParams, blocks: readonly B[], wanted: number, cheap: number): B {
  const least = blocks[blocks.length - 1];
  const parts = Math.max(1, Math.floor(p.K / cheap));
  return blocks.find((b) => covered(p, b) <= 1.25 * covered(p, least) && groupsOf(p, b) * parts >= wanted) ?? least;
}

/** How K is split on graphics cards: where less than two groups a multiprocessor would run. */
const halfBusy = (t: Traits): Traits => ({ ...t, parallelGroups: t.parallelGroups / 2 });

/**
 * How a variant of blocks runs on graphics cards, by the kernels that `of` makes of its text; `rows` of a tile have
 * their statistics together.
 */
export function inBlocks(
  { height, width, deep }: Block,
  rows: number,
  of: (p: MatmulParams, t: Traits, epilogue?: 'BIAS' | 'STATS') => Kernel | undefined,
): Pick<Of, 'launch' | 'epilogue'> {
  return {
    launch: (p, t) => tiles(of(p, t)!, height, width, p, halfBusy(t), undefined, deep),
    epilogue: {
      bias: (p, t) => {
        const launch = whole(of(p, t, 'BIAS')!, height, width, p, halfBusy(t), undefined, deep);
        return launch && { ...launch, bind: [0, 1, 3, 2] };
      },
      statistics: (p, t) => {
        const k = of(p, t, 'STATS');
        const launch = k && whole(k, height, width, p, halfBusy(t), { HALF: Number(storesF16(p, t)) }, deep);
        return launch && { rows, launch };
      },
    },
  };
}

/** Kernels of one text by what is tuned, each made when it is first asked for. */
export function tunedKernels(file: string, source: string): (tuning: Tuning) => Kernel {
  const made = new Map<string, Kernel>();
  return (tuning) => {
    const key = Object.values(tuning).join();
    const known = made.get(key) ?? kernel(file, source, tuning);
    made.set(key, known);
    return known;
  };
}

/**
 * How a variant of tiles of height × width runs. Software gains nothing from a bias in the store, and would compile one
 * more kernel.
 */
export function tiled(
  height: number,
  width: number,
  [plain, biased]: Pair,
  constants?: Record<string, number>,
): Pick<Of, 'launch'> & { epilogue: Epilogue<MatmulParams> } {
  return {
    launch: (p, t) => tiles(plain, height, width, p, t, constants),
    epilogue: {
      bias: (p, t) => {
        const launch = !t.software && whole(biased, height, width, p, t, constants);
        return launch ? { ...launch, bind: [0, 1, 3, 2] } : undefined;
      },
    },
  };
}

/** Whether kernels for tensor cores run (kernels/lib/mma). */
export const hasMatrices = (t: Traits): boolean => t.subgroupMatrix && t.subgroup === 32 && t.workgroupMemory >= 32768;

/** Registers for 8 × 16 sums a thread, as far as traits tell: NVIDIA's have subgroups of 32 and such memory. */
export const hasRegisters = (t: Traits): boolean => t.subgroup === 32 && t.workgroupMemory >= 49152;

/** Blocks of f32, the largest first: `deep` steps of k a tile, 4 `down` × 4 `right` of a block a thread. */
export const tiledBlocks = [
  { name: 'tiled 128×256', height: 128, width: 256, deep: 8, down: 2, right: 4 },
  { name: 'tiled 128×128', height: 128, width: 128, deep: 8, down: 2, right: 2 },
  { name: 'tiled 128×64', height: 128, width: 64, deep: 16, down: 2, right: 2 },
  { name: 'tiled 64×64', height: 64, width: 64, deep: 16, down: 2, right: 2 },
  { name: 'tiled 32×32', height: 32, width: 32, deep: 32, down: 1, right: 1 },
] as const;
export type TiledBlock = (typeof tiledBlocks)[number];

/** Blocks on tensor cores, the largest first: `deep` steps of k a tile, a subgroup `tall` × `wide` matrices of 16. */
export const matrixBlocks = [
  { name: 'matrix 128×128×64', height: 128, width: 128, deep: 64, tall: 4, wide: 2 },
  { name: 'matrix 128×128', height: 128, width: 128, deep: 32, tall: 4, wide: 4 },
  { name: 'matrix 128×64', height: 128, width: 64, deep: 64, tall: 4, wide: 2 },
  { name: 'matrix 64×64', height: 64, width: 64, deep: 64, tall: 2, wide: 2 },
  { name: 'matrix 32×32', height: 32, width: 32, deep: 64, tall: 1, wide: 1 },
] as const;
export type MatrixBlock = (typeof matrixBlocks)[number];

/**
 * Blocks of f32 on tensor cores, each factor the sum of two halves, the largest first. `ahead`: threads have registers
 * for the next tile.
 */
export const f32Blocks = [
  { name: 'f32 matrix 128×128', height: 128, width: 128, deep: 16, tall: 4, wide: 4, ahead: 0 },
  { name: 'f32 matrix 128×64', height: 128, width: 64, deep: 16, tall: 4, wide: 2, ahead: 1 },
  { name: 'f32 matrix 64×64', height: 64, width: 64, deep: 32, tall: 2, wide: 2, ahead: 1 },
  { name: 'f32 matrix 32×32', height: 32, width: 32, deep: 32, tall: 1, wide: 1, ahead: 1 },
] as const;
export type F32Block = (typeof f32Blocks)[number];

/** What a workgroup on tensor cores computes, and how. */
export interface OnMatrices extends Block {
  readonly tall: number;
  readonly wide: number;
}

/** Threads of a workgroup. */
export const threadsOf = ({ height, width, tall, wide }: OnMatrices): number =>
  (32 * (height / tall) * (width / wide)) / 256;

/**
 * Bytes of workgroup memory: two tiles of halves whose lines are padded by 8, each `times`, and 8 floats a thread; 16
 * more where a workgroup decides together.
 */
function matrixBytes(b: OnMatrices, p: MatmulParams, times: 1 | 2): number {
  const tile = (side: number, isDeep: boolean) => 2 * (isDeep ? side * (b.deep + 8) : b.deep * (side + 8));
  return times * (tile(b.height, !aT(p)) + tile(b.width, bT(p) === 1)) + 32 * threadsOf(b) + 16 * (times - 1);
}

/** Whether tensor cores serve, by this block. */
export const canMatrix = (b: MatrixBlock, p: MatmulParams, t: Traits): boolean =>
  p.half === 1 && hasMatrices(t) && matrixBytes(b, p, 1) <= t.workgroupMemory;

/** Whether they serve f32, by this block. */
export const canF32 = (b: F32Block, p: MatmulParams, t: Traits): boolean =>
  p.half === 0 &&
  !p.exact &&
  t.f32Matrices !== undefined &&
  hasMatrices(t) &&
  matrixBytes(b, p, 2) <= t.workgroupMemory;

/** Whether a kernel is written for subgroups of this size. */
export const hasSubgroups = ({ subgroup }: Traits): boolean => subgroup === 4 || subgroup === 8;

/**
 * What a part that is loaded on demand makes its variants of. It imports kernels and types alone, so that bundlers give
 * it one file.
 */
export const matmulTools = {
  tunedKernels,
  kernel,
  tiles,
  inBlocks,
  aT,
  bT,
  isAligned,
  tiledBlocks,
  matrixBlocks,
  f32Blocks,
  threadsOf,
  canMatrix,
  canF32,
  hasMatrices,
  hasSubgroups,
};
export type MatmulTools = typeof matmulTools;
