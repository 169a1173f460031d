import dkvSource from '../../kernels/attention_dkv_matrix.wgsl';
import dqSource from '../../kernels/attention_dq_matrix.wgsl';
import source from '../../kernels/attention_matrix.wgsl';
import deltaSource from '../../kernels/attention_delta.wgsl';
import type { Launch } from '../backend/backend.js';
import type { Variant } from '../backend/variants.js';
import type { Traits } from '../gpu/device.js';
import type { AttentionParams } from '../reference/attention.js';
import type { AttentionTools } from './attention_variants.js';

type P = AttentionParams;

/** What a workgroup keeps, `tall` times 16 rows a subgroup, and how many rows of the other side it takes at a time. */
interface Block {
  readonly subgroups: number;
  readonly tall: number;
  readonly deep: number;
}

/** Rows of a workgroup. */
const rowsOf = ({ subgroups, tall }: Block): number => 16 * subgroups * tall;

/** Bytes of two tiles of each side, their lines padded by 8 halves, or of the group's own rows if these are more. */
const tileBytes = (b: Block, D: number): number => 2 * (D + 8) * Math.max(rowsOf(b), 4 * b.deep);

/** Workgroup memory: tiles; scores and weights; sums of two lanes a row, and what is next. */
const yBytes = (b: Block, { D }: P): number =>
  tileBytes(b, D) + rowsOf(b) * (4 * b.deep + 16 + 2 * b.deep + 16 + 8) + 4;

/** Tiles; scores and weights, and the same of dS. */
const dkvBytes = (b: Block, { D }: P): number =>
  tileBytes(b, D) + 2 * b.subgroups * b.deep * (64 * b.tall + 32 + 32 * b.tall + 16);

/** Two tiles of keys and of dS; a matrix a subgroup. */
const dqBytes = (b: Block, { D }: P): number =>
  4 * b.deep * (D + 8) + 4 * rowsOf(b) * (b.deep + 8) + 1024 * b.subgroups;

const blocks = {
  y: { subgroups: 4, tall: 1, deep: 32 },
  dkv: { subgroups: 4, tall: 1, deep: 16 },
  dq: { subgroups: 4, tall: 1, deep: 32 },
};

/** Bytes of dS that are in memory at a time. */
const MOST_SLOPES = 2 ** 27;
const dsRowOf = (p: P): number => 16 * Math.ceil(p.Nk / 16);
const dsBytes = (p: P): number => 2 * p.Nq * dsRowOf(p);

const tuningOf = ({ subgroups, tall, deep }: Block, D: number) => ({
  D,
  PARTS: D / 16,
  SUBGROUPS: subgroups,
  TALL: tall,
  DEEP: deep,
  SLICES: deep / 16,
  LOADS: Math.ceil((deep * D) / (256 * subgroups)),
});

/** Whether heads are of a size that matrices divide, and few enough registers hold; and lines of memory begin at vec4s. */
const isFit = (p: P): boolean => p.half === 1 && p.D % 16 === 0 && p.D <= 128;

/** The variant of attention for tensor cores. */
export function attentionMatrices({
  byTuning,
  ceilDiv,
  hasMatrices,
  flopsOf,
}: AttentionTools): readonly Variant<P, 'matrix'>[] {
  const kernelOf = byTuning('attention_matrix', source);
  return [
    {
      name: 'matrix',
      why: 'f16 on tensor cores; not yet measured',
      supports: (p, t) => isFit(p) && hasMatrices(t) && yBytes(blocks.y, p) <= t.workgroupMemory,
      launch: (p) => ({
        kernel: kernelOf(tuningOf(blocks.y, p.D)),
        params: { ...p, firstHead: 0, heads: p.batch * p.H, dsRow: 0 },
        groups: p.batch * p.H * ceilDiv(p.Nq, rowsOf(blocks.y)),
        flops: flopsOf('y', p),
      }),
    },
  ];
}

/** That of its gradient: dk, dv and dS, then dq from dS, for as many heads at a time as memory is kept for. */
export function attentionGradMatrices(tools: AttentionTools): readonly Variant<P, 'matrix'>[] {
  const { byTuning, ceilDiv, hasMatrices, productFlops } = tools;
  const deltaKernel = byTuning('attention_delta', deltaSource);
  const dkvKernel = byTuning('attention_dkv_matrix', dkvSource);
  const dqKernel = byTuning('attention_dq_matrix', dqSource);
  const supports = (p: P, t: Traits) =>
    isFit(p) &&
    hasMatrices(t) &&
    Math.max(dkvBytes(blocks.dkv, p), dqBytes(blocks.dq, p)) <= t.workgroupMemory &&
    dsBytes(p) <= MOST_SLOPES;

  /** dk, dv and dq of some heads. */
  function someHeads(p: P, firstHead: number, heads: number): Launch[] {
    const params = { ...p, firstHead, heads, dsRow: dsRowOf(p) };
    const flops = (productFlops(p) * heads) / (p.batch * p.H);
    return [
      {
        kernel: dkvKernel(tuningOf(blocks.dkv, p.D)),
        params,
        groups: heads * ceilDiv(p.Nk, rowsOf(blocks.dkv)),
        bind: [0, 1, 4, 7, 8, 6, 9],
        flops: 4 * flops,
      },
      {
        kernel: dqKernel({ ...tuningOf(blocks.dq, p.D), DS_LOADS: (blocks.dq.tall * blocks.dq.deep) / 16 }),
        params,
        groups: heads * ceilDiv(p.Nq, rowsOf(blocks.dq)),
        bind: [1, 8, 9, 5],
        flops,
      },
    ];
  }
  return [
    {
      name: 'matrix',
      why: 'f16 on tensor cores; not yet measured',
      supports,
      launch: (p) => {
        const all = p.batch * p.H;
        const atOnce = Math.max(1, Math.min(all, Math.floor(MOST_SLOPES / Math.max(1, dsBytes(p)))));
        const rows = { kernel: deltaKernel({ D: p.D }), params: { ...p }, groups: all, bind: [1, 2, 3, 4, 7, 8] };
        const starts = Array.from({ length: ceilDiv(all, atOnce) }, (_, i) => i * atOnce);
        return {
          scratch: [2 * all * p.Nq, 2 * all, (atOnce * dsBytes(p)) / 4],
          launches: [rows, ...starts.flatMap((first) => someHeads(p, first, Math.min(atOnce, all - first)))],
        };
      },
    },
  ];
}
