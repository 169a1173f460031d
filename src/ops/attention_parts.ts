import { ceilDiv } from '../core/ceil-div.js';
import type { Traits } from '../gpu/device.js';
import type { AttentionParams } from '../reference/attention.js';
import { hasMatrices } from './matmul_parts.js';
import { byTuning } from './row_tiles.js';

// What the tables of attention and of its gradient share with the parts of them that are loaded on demand.

type P = AttentionParams;
export type Of = 'y' | 'dq' | 'dkv';

/** Operations of one product of every head: scores, or anything summed with them. */
const productFlops = ({ batch, H, Nq, Nk, D }: P): number => 2 * batch * H * Nq * Nk * D;

/**
 * Products of a kernel: scores and y; scores, dP, dk and dv; dq. Scores and dP that dq's kernel computes once more are
 * not counted again.
 */
const products: Record<Of, number> = { y: 2, dq: 1, dkv: 4 };
export const flopsOf = (of: Of, p: P): number => products[of] * productFlops(p);

/** On tensor cores: pairs of subgroups, 32 rows each, and how many rows of the other side are a tile. */
export interface MatrixBlock {
  readonly pairs: number;
  readonly deep: number;
}

/** Bytes of tiles, lines padded by 8 halves: two of either side, or the rows that a group keeps of its `sides`. */
const tileBytes = ({ pairs, deep }: MatrixBlock, D: number, sides: number): number =>
  2 * (D + 8) * Math.max(4 * deep, 32 * pairs * sides);

/** Workgroup memory of the kernels for tensor cores. */
const matrixBytes: Record<Of, (b: MatrixBlock, D: number) => number> = {
  // scores, weights and sums of rows, and what is next
  y: (b, D) => tileBytes(b, D, 1) + 32 * b.pairs * (144 + 80 + 8) + 16,
  // scores and weights of 32 keys, and what dS has of both
  dkv: (b, D) => tileBytes(b, D, 2) + 2 * b.pairs * b.deep * (144 + 80),
  // two tiles of keys and of dS, and parts of dq
  dq: (b, D) => 4 * b.deep * (D + 8) + 32 * b.pairs * (160 + 144),
};

const [wide, narrow] = [2, 1].map((pairs) => ({ pairs, deep: 32 }));
const matrixBlocks: Record<Of, readonly MatrixBlock[]> = {
  y: [wide, narrow],
  dkv: [wide, { pairs: 2, deep: 16 }, narrow, { pairs: 1, deep: 16 }],
  dq: [wide, narrow],
};

/** The first block that memory holds, for so many rows of its side; one pair is enough for 32. */
function matrixBlock(of: Of, { D, Nq, Nk }: P, t: Traits): MatrixBlock | undefined {
  const fits = matrixBlocks[of].filter((b) => matrixBytes[of](b, D) <= t.workgroupMemory);
  return ((of === 'dkv' ? Nk : Nq) <= 32 && fits.find(({ pairs }) => pairs === 1)) || fits[0];
}

/** Bytes of dS that are in memory at a time: what every adapter binds. */
const MOST_SLOPES = 2 ** 27;

/** Bytes of dS of a head: rows are whole tiles of 32 keys. */
const slopeBytes = ({ Nq, Nk }: P): number => 64 * Nq * ceilDiv(Nk, 32);

/** Heads whose dS is in memory at a time: all, or equal parts. */
const headsAtOnce = (p: P): number => {
  const all = p.batch * p.H;
  const most = Math.floor(MOST_SLOPES / Math.max(1, slopeBytes(p)));
  return ceilDiv(all, Math.max(1, ceilDiv(all, most)));
};

/** Whether tensor cores serve: registers hold 32 rows of a head, which a pair divides into matrices. */
export const canMatrix = (p: P, t: Traits): boolean =>
  p.half === 1 && hasMatrices(t) && p.Nq > 0 && p.D % 32 === 0 && p.D <= 128 && matrixBlock('y', p, t) !== undefined;

export const canMatrixGrad = (p: P, t: Traits): boolean =>
  canMatrix(p, t) &&
  matrixBlock('dkv', p, t) !== undefined &&
  matrixBlock('dq', p, t) !== undefined &&
  slopeBytes(p) <= MOST_SLOPES;

/**
 * What a part that is loaded on demand makes its variants of. It imports kernels and types alone, so that bundlers give
 * it one file.
 */
export const attentionTools = {
  byTuning,
  ceilDiv,
  flopsOf,
  matrixBlock,
  slopeBytes,
  headsAtOnce,
  canMatrix,
  canMatrixGrad,
};
export type AttentionTools = typeof attentionTools;
