import type { Launch, Plan } from '../backend/backend.js';
import type { Sample } from '../backend/variants.js';
import { ceilDiv } from '../core/ceil-div.js';
import type { Traits } from '../gpu/device.js';
import { type Kernel, kernel } from '../gpu/kernel.js';
import type { Conv2dParams } from '../reference/conv2d.js';
import type { MatmulParams } from '../reference/matmul.js';
import {
  canMatrix as blockFits,
  blockOf,
  type F32Block,
  f32Blocks,
  canF32 as f32Fits,
  hasMatrices,
  hasRegisters,
  hasSubgroups,
  type MatrixBlock,
  matrixBlocks,
  storesF16,
  threadsOf,
  tiledBlocks,
  tunedKernels,
} from './matmul_parts.js';
import { reduceLaunch } from './reduce_launch.js';

// What the tables of a convolution and of its two gradients share.

type P = Conv2dParams;
export const always = (): boolean => true;

export const pixelsOf = (p: P): number => p.N * p.P * p.Q;

/** A product and a sum for every tap and channel of every output; the gradients are as many. */
export const conv2dFlops = (p: P): number => (2 * pixelsOf(p) * p.O * p.R * p.S * p.C) / p.groups;

/** Pixels of the largest class of dx: those with the same remainders modulo the stride. */
export const classPixels = (p: P): number => p.N * ceilDiv(p.H, p.strideH) * ceilDiv(p.W, p.strideW);

export const xSize = (p: P): number => p.N * p.H * p.W * p.C;
export const wSize = (p: P): number => (p.O * p.R * p.S * p.C) / p.groups;
export const ySize = (p: P): number => pixelsOf(p) * p.O;

/** Whether a convolution is a matrix product as it stands. */
export const isProduct = (p: P): boolean => p.R * p.S * p.strideH * p.strideW * p.groups === 1 && p.padH + p.padW === 0;

/** Whether every channel is convolved by itself. */
export const isDepthwise = (p: P): boolean => p.groups === p.C && p.C === p.O;

/** A direct kernel for 1, 2 and 4 COLUMNS. */
export const byColumns = (name: string, source: string): Map<number, Kernel> =>
  new Map([1, 2, 4].map((COLUMNS) => [COLUMNS, kernel(name, source, { COLUMNS })]));

/** How the direct kernels deal `channels` to threads: LANES neighbours, each with COLUMNS of them, a row of 8. */
export function tiling(of: Map<number, Kernel>, channels: number, software: boolean) {
  const LANES = software ? 4 : 16;
  const COLUMNS = channels > 2 * LANES ? 4 : channels > LANES ? 2 : 1;
  return { kernel: of.get(COLUMNS)!, constants: { LANES }, blocks: ceilDiv(channels, LANES * COLUMNS), LANES };
}

/** The products that y, the largest class of dx, and dw are, a group or a class each of the batch. */
export const asProducts = {
  y: (p: P): MatmulParams => inBatch(p.groups, pixelsOf(p), p.O / p.groups, (p.R * p.S * p.C) / p.groups, { bT: true }),
  dx: (p: P): MatmulParams =>
    inBatch(p.groups * p.strideH * p.strideW, classPixels(p), p.C / p.groups, (p.R * p.S * p.O) / p.groups),
  dw: (p: P): MatmulParams =>
    inBatch(p.groups, p.O / p.groups, (p.R * p.S * p.C) / p.groups, pixelsOf(p), { aT: true }),
};
const inBatch = (batch: number, ...[M, N, K, form]: Parameters<typeof product>) => ({
  ...product(M, N, K, { ...form, half: 1 }),
  batch,
});

const named = <N extends MatrixBlock['name']>(...names: readonly N[]) =>
  matrixBlocks.filter((b): b is MatrixBlock & { name: N } => (names as readonly string[]).includes(b.name));

/** Blocks on tensor cores: those that won for such products, none that is too small to be worth them. */
export const onMatrices = {
  y: named('matrix 128×128×64', 'matrix 128×128', 'matrix 128×64', 'matrix 64×64'),
  dx: named('matrix 128×128', 'matrix 128×64', 'matrix 64×64'),
  dw: named('matrix 128×128', 'matrix 64×64'),
};
type Gradient = keyof typeof asProducts;

/** The block in f32; `cheap` pixels of dw, whose sum may be split. */
export const tiledBlockOf = (of: Gradient, p: P, t: Traits) =>
  blockOf(
    asProducts[of](p),
    tiledBlocks.filter(({ width }) => width < 256 || hasRegisters(t)),
    t.parallelGroups / 2,
    of === 'dw' ? 512 : Infinity,
  ).name;

/** The block on tensor cores. */
export function matrixBlockOf<G extends Gradient>(of: G, p: P, t: Traits): (typeof onMatrices)[G][number]['name'] {
  const blocks: readonly MatrixBlock[] = onMatrices[of];
  const fitting = blocks.filter((b) => canMatrix(of, b, p, t));
  return blockOf(asProducts[of](p), fitting, t.parallelGroups / 4, of === 'dw' ? 2048 : Infinity).name as never;
}

/** Blocks of f32 on tensor cores, each factor the sum of two halves. */
const f32OnMatrices = f32Blocks.filter((b): b is Exclude<F32Block, { name: 'f32 matrix 32×32' }> => b.height > 32);

/** The block in f32 on tensor cores. */
export const f32BlockOf = (of: Gradient, p: P, t: Traits) =>
  blockOf(
    asProducts[of](p),
    f32OnMatrices.filter((b) => canF32(of, b, p, t)),
    t.parallelGroups / 2,
    of === 'dw' ? 1024 : Infinity,
  ).name;

/** Whether tensor cores serve f32, by this block. */
export const canF32 = (of: Gradient, b: F32Block, p: P, t: Traits): boolean =>
  areEights(p) && f32Fits(b, { ...asProducts[of](p), half: p.half ?? 0, exact: p.exact }, t);

/** Whether they are worth it. */
export const fillsF32 = (of: Gradient, p: P, t: Traits): boolean =>
  f32OnMatrices.some((b) => canF32(of, b, p, t)) && Math.min(p.C, p.O) / p.groups >= 32 && conv2dFlops(p) >= 2 ** 25;

/**
 * Whether a tiled kernel serves: by vec4, and not on software, whose workgroup memory is slow and where it compiles for
 * seconds.
 */
export const canTile = (p: P, { software }: Traits): boolean =>
  !software && (p.C / p.groups) % 4 === 0 && (p.O / p.groups) % 4 === 0;

/** Whether a tiled kernel serves that reads x one by one, and what lies on output channels by vec4. */
export const canTileSmall = (p: P, { software }: Traits): boolean => !software && (p.O / p.groups) % 4 === 0;

/** Whether tensor cores serve, by this block. */
export const canMatrix = (of: Gradient, b: MatrixBlock, p: P, t: Traits): boolean =>
  p.half === 1 && areEights(p) && blockFits(b, asProducts[of](p), t);
const areEights = (p: P): boolean => (p.C / p.groups) % 8 === 0 && (p.O / p.groups) % 8 === 0;

/** Whether tensor cores serve for few channels: rows of the filter are neighbours in x, too. */
export const canMatrixSmall = (p: P, t: Traits): boolean =>
  p.half === 1 && hasMatrices(t) && p.groups * p.dilationW === 1 && p.O % 8 === 0;

/** Whether they are worth it: channels too few for tiles of them, or that do not divide by 8. */
export const fillsMatricesSmall = (p: P, t: Traits): boolean =>
  canMatrixSmall(p, t) && p.O >= 16 && (p.C < 32 || p.C % 8 > 0);

/** Whether a subgroup kernel serves that takes `channels` a subgroup at a time. */
export const fillsSubgroups = (channels: number, t: Traits): boolean => hasSubgroups(t) && channels % t.subgroup === 0;

/** Whether there are channels enough for tiles of them. */
export const fillsTiles = (p: P, t: Traits): boolean => canTile(p, t) && Math.min(p.C, p.O) / p.groups >= 16;
export const fillsMatrices = (p: P, t: Traits): boolean =>
  p.half === 1 && hasMatrices(t) && areEights(p) && Math.min(p.C, p.O) / p.groups >= 32;

/** A matrix product of rank 2: a is [M, K], or [K, M] with `aT`; b is [K, N], or [N, K] with `bT`. */
export const product = (
  M: number,
  N: number,
  K: number,
  { aT = false, bT = false, half = 0, exact }: Pick<P, 'half' | 'exact'> & { aT?: boolean; bT?: boolean } = {},
): MatmulParams => ({
  batch: 1,
  M,
  N,
  K,
  aBatch: 0,
  bBatch: 0,
  aRow: aT ? 1 : K,
  aCol: aT ? M : 1,
  bRow: bT ? 1 : N,
  bCol: bT ? K : 1,
  half,
  ...(exact && { exact }),
});

/** A launch whose buffers are the operation's by place, as a plan whose launches bind theirs through `places`. */
export function rebind(made: Launch | Plan, places: readonly number[]): Launch | Plan {
  const plan: Plan = 'launches' in made ? made : { scratch: [], launches: [made] };
  const bind = (l: Launch) => (l.bind ?? places.map((_, i) => i)).map((i) => places[i] ?? i);
  return { ...plan, launches: plan.launches.map((l) => ({ ...l, bind: bind(l) })) };
}

/** Every class of pixels gets as many workgroups as the largest needs. */
export const byClass = (k: Kernel, p: P, groupsPerClass: number, constants?: Record<string, number>): Launch => ({
  kernel: k,
  constants,
  params: { ...p, groupsPerClass },
  groups: groupsPerClass * p.strideH * p.strideW,
  flops: conv2dFlops(p),
});

/**
 * The sum over pixels in slices of whole rows (n, p), where there are too few `tiles` to keep the adapter busy; slices
 * are added in order.
 */
export function sliced(
  p: P,
  tiles: number,
  wanted: number,
  launch: (params: P & { chunk: number; slices: number }, tiles: number) => Launch,
): Launch | Plan {
  const rows = p.N * p.P;
  const chunk = Math.max(1, ceilDiv(rows, Math.max(1, ceilDiv(wanted, tiles))));
  const slices = Math.max(1, ceilDiv(rows, chunk));
  const made = launch({ ...p, chunk, slices }, tiles * slices);
  if (slices === 1) return made;
  const reduce = reduceLaunch({ op: 'sum', A: 1, R: slices, B: wSize(p), scale: 1 });
  return {
    scratch: [slices * wSize(p)],
    launches: [
      { ...made, bind: [0, 1, 3] },
      { ...reduce, bind: [3, 2] },
    ],
  };
}

/** A kernel whose workgroups each sum a tile of dw. */
export const inTiles =
  (kernelOf: (t: Traits) => Kernel, tiles: (p: P) => number) =>
  (p: P, t: Traits): Launch | Plan =>
    sliced(p, tiles(p), t.parallelGroups, (params, groups) => ({
      kernel: kernelOf(t),
      params: { ...params },
      groups,
      flops: conv2dFlops(p),
    }));

/** Tiles of `height` output channels by `width` of what lies under them, taps and channels. */
export const tilesOf = (p: P, height: number, width: number): number =>
  p.groups * ceilDiv(p.O / p.groups, height) * ceilDiv((p.R * p.S * p.C) / p.groups, width);

/** Taps, stride, and how many channels there are for tiles of them. */
export function classOf(p: P): string {
  const amount = (channels: number) => (channels < 8 ? 'small' : channels < 32 ? 'medium' : 'large');
  return (
    `${p.R}×${p.S}/${p.strideH} ` +
    `${isDepthwise(p) ? 'depthwise' : `${amount(p.C / p.groups)}→${amount(p.O / p.groups)}`}${p.half ? ' f16' : ''}`
  );
}

function sample(N: number, side: number, C: number, O: number, R: number, stride: number): P {
  const out = ceilDiv(side, stride);
  return {
    N,
    H: side,
    W: side,
    C,
    O,
    R,
    S: R,
    P: out,
    Q: out,
    strideH: stride,
    strideW: stride,
    padH: R >> 1,
    padW: R >> 1,
    dilationH: 1,
    dilationW: 1,
    groups: 1,
  };
}

/** What `tune` times, for buffers of these sizes; filters and their gradient are f32. */
export const samples = (...order: ((p: P) => number)[]): Sample<P>[] =>
  [sample(2, 16, 32, 64, 3, 1), sample(2, 16, 32, 64, 3, 2), sample(2, 32, 3, 32, 3, 1)].map((params) => ({
    params,
    buffers: order.map((size) => size(params)),
    f16: [0, 1, 2].filter((i) => order[i] !== wSize),
  }));

/**
 * What the parts that are loaded on demand make their variants of. They import kernels, types and each other alone, so
 * that bundlers give each one file.
 */
export const conv2dTools = {
  kernel,
  ceilDiv,
  pixelsOf,
  classPixels,
  conv2dFlops,
  byClass,
  inTiles,
  tilesOf,
  hasSubgroups,
  fillsSubgroups,
  canTile,
  canTileSmall,
  canF32,
  canMatrix,
  canMatrixSmall,
  f32OnMatrices,
  storesF16,
  sliced,
  tunedKernels,
  tiledBlocks,
  onMatrices,
  threadsOf,
};
export type Conv2dTools = typeof conv2dTools;
