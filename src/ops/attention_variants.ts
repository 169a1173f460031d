import source from '../../kernels/attention.wgsl';
import dkvSource from '../../kernels/attention_dkv.wgsl';
import dkvTiledSource from '../../kernels/attention_dkv_tiled.wgsl';
import dqSource from '../../kernels/attention_dq.wgsl';
import dqTiledSource from '../../kernels/attention_dq_tiled.wgsl';
import tiledSource from '../../kernels/attention_tiled.wgsl';
import type { Launch, Plan } from '../backend/backend.js';
import { launchOf, type Sample, variantTable } from '../backend/variants.js';
import { ceilDiv } from '../core/ceil-div.js';
import type { Traits } from '../gpu/device.js';
import type { AttentionParams } from '../reference/attention.js';
import { attentionTools, canMatrix, canMatrixGrad, flopsOf, type Of } from './attention_parts.js';
import { hasMatrices } from './matmul_parts.js';
import { rowDotLaunches } from './row_dot.js';
import { byTuning, rowTiles } from './row_tiles.js';

type P = AttentionParams;

const direct = {
  y: byTuning('attention', source),
  dq: byTuning('attention_dq', dqSource),
  dkv: byTuning('attention_dkv', dkvSource),
};
const tiled = {
  y: byTuning('attention_tiled', tiledSource),
  dq: byTuning('attention_dq_tiled', dqTiledSource),
  dkv: byTuning('attention_dkv_tiled', dkvTiledSource),
};

/** Bytes of workgroup memory of a tiled kernel: lines of rows and columns, and what passes between threads. */
function bytesOf(of: Of, D: number, rows: number, columns: number): number {
  const lines = (of === 'y' ? rows + columns : 2 * (rows + columns)) * (D / 4 + 1);
  const passed = ((of === 'dkv' ? 2 : 1) * columns * rows) / 4 + (of === 'y' ? 2 * rows : 0);
  return 16 * (lines + passed);
}

const tileOf = (of: Of, { D }: P, traits: Traits) =>
  rowTiles(D, traits, (rows, columns) => bytesOf(of, D, rows, columns));

export const attentionFlops = (p: P): number => flopsOf('y', p);
export const attentionGradFlops = (p: P): number => flopsOf('dq', p) + flopsOf('dkv', p);

/** A launch with `N` rows of every head divided among workgroups. */
function tiledLaunch(of: Of, N: number, p: P, traits: Traits): Launch {
  const tile = tileOf(of, p, traits)!;
  const groups = p.batch * p.H * ceilDiv(N, tile.ROWS);
  return { kernel: tiled[of](tile), params: { ...p }, groups, flops: flopsOf(of, p) };
}

/** The same, four rows a thread. */
const directLaunch = (of: Of, N: number, p: P): Launch => ({
  kernel: direct[of]({ D: p.D }),
  params: { ...p },
  groups: ceilDiv(p.batch * p.H * ceilDiv(N, 4), 64),
  flops: flopsOf(of, p),
});

/** [q, kv, y, lse, dy] -> [dq, dkv] by kernels for each. */
function gradient(p: P, traits: Traits, launch: (of: Of, N: number) => Launch): Plan {
  const rows = p.batch * p.Nq * p.H;
  // Σ y dy, all that the weights' normalisation sends back
  const delta = rowDotLaunches({ rows, C: p.D }, 1, [2, 4, 7], traits);
  const dq = { ...launch('dq', p.Nq), bind: [0, 1, 3, 4, 7, 5] };
  const dkv = { ...launch('dkv', p.Nk), bind: [0, 1, 3, 4, 7, 6] };
  return { scratch: [rows], launches: [...delta, dq, dkv] };
}

const supports =
  (...of: Of[]) =>
  (p: P, traits: Traits): boolean =>
    of.every((o) => tileOf(o, p, traits));
const heuristic = (canMatrix: (p: P, traits: Traits) => boolean) => (p: P, traits: Traits) =>
  canMatrix(p, traits) ? 'matrix' : supports('y', 'dq', 'dkv')(p, traits) ? 'tiled' : 'direct';
const classOf = ({ D, Nk, half }: P): string => `D ${D}${Nk < 32 ? ' short' : ''}${half ? ' f16' : ''}`;

/** ViT-S and ViT-B on pictures of 224²; the gradient's buffers follow its places. */
function sample(grad: boolean): Sample<P> {
  const [batch, H, D, N] = [1, 6, 64, 197];
  const width = H * D;
  const params = { batch, H, D, Nq: N, Nk: N, qRow: width, kvRow: 2 * width, kStart: 0, scale: D ** -0.5 };
  const [q, kv, lse] = [N * width, 2 * N * width, N * H];
  return grad
    ? { params, buffers: [q, kv, q, lse, q, q, kv], f16: [0, 1, 2, 4, 5, 6] }
    : { params, buffers: [q, kv, q, lse], f16: [0, 1, 2] };
}

export const attentionVariants = variantTable({
  name: 'attention',
  classOf,
  heuristic: heuristic(canMatrix),
  samples: [sample(false)],
  parts: [
    {
      when: hasMatrices,
      load: () => import('./attention_matrices.js').then((m) => m.attentionMatrices(attentionTools)),
    },
  ],
  variants: [
    {
      name: 'direct',
      why: 'everything, everywhere, four rows a thread: 7.1 times products and a softmax, N 197, D 32, on SwiftShader',
      supports: () => true,
      launch: (p) => directLaunch('y', p.Nq, p),
    },
    {
      name: 'tiled',
      why: 'graphics cards, rows in workgroup memory, as D 64 would take 256 registers: 12 TFLOP/s, N 197, on an H200',
      supports: supports('y'),
      launch: (p, t) => tiledLaunch('y', p.Nq, p, t),
    },
  ],
});
export const attentionGpu = launchOf(attentionVariants);

export const attentionGradVariants = variantTable({
  name: 'attention_grad',
  classOf,
  heuristic: heuristic(canMatrixGrad),
  samples: [sample(true)],
  parts: [
    {
      when: hasMatrices,
      load: () => import('./attention_matrices.js').then((m) => m.attentionGradMatrices(attentionTools)),
    },
  ],
  variants: [
    {
      name: 'direct',
      why: 'everything, everywhere, four rows a thread: with y 3.8 times products and a softmax on SwiftShader',
      supports: () => true,
      launch: (p, t) => gradient(p, t, (of, N) => directLaunch(of, N, p)),
    },
    {
      name: 'tiled',
      why: 'graphics cards, rows in workgroup memory: with y 9 TFLOP/s, nothing counted twice, N 197, on an H200',
      supports: supports('dq', 'dkv'),
      launch: (p, t) => gradient(p, t, (of, N) => tiledLaunch(of, N, p, t)),
    },
  ],
});
export const attentionGradGpu = launchOf(attentionGradVariants);
