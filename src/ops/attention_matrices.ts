import deltaSource from '../../kernels/attention_delta.wgsl';
import dkvSource from '../../kernels/attention_dkv_matrix.wgsl';
import dqSource from '../../kernels/attention_dq_matrix.wgsl';
import source from '../../kernels/attention_matrix.wgsl';
import type { Launch } from '../backend/backend.js';
import type { Variant } from '../backend/variants.js';
import type { Traits } from '../gpu/device.js';
import type { Kernel } from '../gpu/kernel.js';
import type { Tuning } from '../gpu/preprocess.js';
import type { AttentionParams } from '../reference/attention.js';
import type { AttentionTools, MatrixBlock, Of } from './attention_parts.js';

type P = AttentionParams;

const tuningOf = ({ pairs, deep }: MatrixBlock, D: number): Tuning => ({
  D,
  PARTS: D / 16,
  MINE: D / 32,
  PAIRS: pairs,
  DEEP: deep,
  LOADS: Math.ceil((deep * D) / (512 * pairs)),
});

/** The launch of a kernel for some heads, whose workgroups divide `rows` of each. */
function headsLaunch(
  { ceilDiv, flopsOf, matrixBlock }: AttentionTools,
  kernelOf: (tuning: Tuning) => Kernel,
  [of, rows]: readonly [Of, number],
  [p, t]: readonly [P, Traits],
  { firstHead, heads } = { firstHead: 0, heads: p.batch * p.H },
): Launch {
  const block = matrixBlock(of, p, t)!;
  const slices: Tuning = of === 'dkv' ? { SLICES: block.deep / 16 } : {};
  return {
    kernel: kernelOf({ ...tuningOf(block, p.D), ...slices }),
    params: { ...p, firstHead, heads },
    groups: heads * ceilDiv(rows, 32 * block.pairs),
    flops: (flopsOf(of, p) * heads) / Math.max(1, p.batch * p.H),
  };
}

/** Attention on tensor cores. */
export function attentionMatrices(tools: AttentionTools): readonly Variant<P, 'matrix'>[] {
  const kernelOf = tools.byTuning('attention_matrix', source);
  return [
    {
      name: 'matrix',
      why: 'f16 on tensor cores, two barriers a tile of 32 keys, the next one on its way; not measured yet',
      supports: tools.canMatrix,
      launch: (p, t) => headsLaunch(tools, kernelOf, ['y', p.Nq], [p, t]),
    },
  ];
}

/** Its gradient: dk, dv and dS, then dq from dS, of as many heads at a time as there is memory for. */
export function attentionGradMatrices(tools: AttentionTools): readonly Variant<P, 'matrix'>[] {
  const { byTuning, ceilDiv, slopeBytes, headsAtOnce, canMatrixGrad } = tools;
  const deltaKernel = byTuning('attention_delta', deltaSource);
  const dkvKernel = byTuning('attention_dkv_matrix', dkvSource);
  const dqKernel = byTuning('attention_dq_matrix', dqSource);
  return [
    {
      name: 'matrix',
      why: 'f16 on tensor cores, five products, dS in memory between dk and dq; not measured yet',
      supports: canMatrixGrad,
      launch: (p, t) => {
        const [all, atOnce] = [p.batch * p.H, headsAtOnce(p)];
        const delta = { kernel: deltaKernel({ D: p.D }), params: { ...p }, groups: all, bind: [1, 2, 3, 4, 7, 8] };
        const some = Array.from({ length: ceilDiv(all, Math.max(1, atOnce)) }, (_, i) => {
          const heads = { firstHead: i * atOnce, heads: Math.min(atOnce, all - i * atOnce) };
          return [
            { ...headsLaunch(tools, dkvKernel, ['dkv', p.Nk], [p, t], heads), bind: [0, 1, 4, 7, 8, 6, 9] },
            { ...headsLaunch(tools, dqKernel, ['dq', p.Nq], [p, t], heads), bind: [1, 8, 9, 5] },
          ];
        });
        return {
          scratch: [2 * all * p.Nq, 2 * all, (atOnce * slopeBytes(p)) / 4],
          launches: [delta, ...some.flat()],
        };
      },
    },
  ];
}
