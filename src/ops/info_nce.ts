import combineSource from '../../kernels/info_nce_combine.wgsl';
import partialSource from '../../kernels/info_nce_partial.wgsl';
import tiledSource from '../../kernels/info_nce_tiled.wgsl';
import type { Launch, Primitive } from '../backend/backend.js';
import { ceilDiv } from '../core/ceil-div.js';
import { above0, check } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { sameShape, show } from '../core/shape.js';
import type { Traits } from '../gpu/device.js';
import { kernel } from '../gpu/kernel.js';
import type { InfoNceParams } from '../reference/info_nce.js';
import { record } from '../tensor/autograd.js';
import { run } from '../tensor/run.js';
import { checkDType, empty, type Tensor } from '../tensor/tensor.js';
import { greater, mul } from './binary.js';
import { mean } from './reduce.js';
import { byTuning, rowTiles } from './row_tiles.js';

const partial = kernel('info_nce_partial', partialSource);
const tiled = byTuning('info_nce_tiled', tiledSource);
const combine = kernel('info_nce_combine', combineSource);

/** Rows of threads in a workgroup of `partial`, each of 4 queries. */
const ROWS = 4;

/** Bytes of workgroup memory of `tiled`: queries, keys, and what passes between threads. */
const tiledBytes =
  (D: number) =>
  (rows: number, columns: number): number =>
    16 * ((rows + columns) * (D / 4 + 1) + (columns * rows) / 4 + 2 * rows);

/** The queue cut into S slices of `chunk` keys, enough to keep the adapter busy with `blocks` workgroups a slice. */
function slices(K: number, blocks: number, parallelGroups: number): { S: number; chunk: number } {
  const tiles = Math.max(1, ceilDiv(K, 64));
  const chunk = 64 * ceilDiv(tiles, Math.min(tiles, ceilDiv(parallelGroups, blocks)));
  return { S: Math.max(1, ceilDiv(K, chunk)), chunk };
}

/** What every slice of the queue gives, from tiles where workgroup memory is real and holds them. */
function partials({ N, K, D, temperature }: InfoNceParams, traits: Traits): { S: number; launch: Launch } {
  const tile = rowTiles(D, traits, tiledBytes(D));
  const blocks = tile ? ceilDiv(N, tile.ROWS) : ceilDiv(N, 4 * ROWS) * ceilDiv(D, 256);
  const { S, chunk } = slices(K, blocks, traits.parallelGroups);
  const shared = { groups: blocks * S, bind: [0, 1, 2, 6, 7] };
  const params = { N, K, D, S, chunk, inverseT: 1 / temperature };
  if (tile) return { S, launch: { kernel: tiled(tile), params, ...shared } };
  const constants = { ROWS, COLUMNS: Math.min(16, ceilDiv(D, 16)), STAGED: traits.software ? 0 : 1 };
  return { S, launch: { kernel: partial, constants, params, ...shared } };
}

/** Buffers: q, positive, queue, loss, rank, dq. */
export const infoNcePrimitive: Primitive<InfoNceParams> = {
  name: 'info_nce',
  flops: ({ N, K, D }) => 4 * N * K * D, // logits, and the mean of the keys that they weight
  gpu: (p, traits) => {
    const { N, D, temperature } = p;
    const { S, launch } = partials(p, traits);
    const combined = {
      kernel: combine,
      params: { N, D, S, scale: 1 / (temperature * N) },
      groups: ceilDiv(N * D, 64),
      bind: [1, 6, 7, 3, 4, 5],
    };
    return { scratch: [4 * S * N, S * N * D], launches: [launch, combined] };
  },
};

/** The contrastive loss, and how often the positive key wins. */
export interface InfoNce {
  /** Mean over the queries of -ln softmax([q·k⁺ | q·queueᵀ] / T)[0], a scalar. */
  loss: Tensor;
  /**
   * Fraction of queries whose positive scores above every negative, and above all but four; equals and NaN count
   * against it: scalars.
   */
  top1: Tensor;
  top5: Tensor;
}

/**
 * The contrastive loss of MoCo (He et al. 2020, eq. 1): every query is to pick its positive key among K negatives.
 * The N × (K + 1) logits are never stored. Gradients flow to q only.
 *
 * @param q queries f32 [N, D], usually of length 1 each.
 * @param positive f32 [N, D], the key of the other view of each query's picture.
 * @param queue f32 [K, D], the negatives; K may be 0.
 * @param temperature T, above 0.
 */
export function infoNce(q: Tensor, positive: Tensor, queue: Tensor, temperature: number): InfoNce {
  for (const x of [q, positive, queue]) checkDType('infoNce', x, 'f32');
  const [N, D] = q.shape;
  if (q.rank !== 2 || q.size === 0 || !sameShape(positive.shape, q.shape) || queue.rank !== 2 || queue.shape[1] !== D)
    throw new ShapeError(
      'infoNce: q and its positives must be [N, D] and the queue [K, D], N and D above 0; ' +
        `got ${show(q.shape)}, ${show(positive.shape)} and ${show(queue.shape)}. Reshape or rebuild one.`,
    );
  check('infoNce', 'the temperature', temperature, above0, 'MoCo v1 uses 0.07, v2 0.2.');
  const [losses, rank, dq] = [
    empty([N], 'f32', q.backend),
    empty([N], 'f32', q.backend),
    empty(q.shape, 'f32', q.backend),
  ];
  run(infoNcePrimitive, [q, positive, queue], [losses, rank, dq], { N, K: queue.shape[0], D, temperature });
  // dq_i = dloss / (T N) (Σ_j p_ij k_j - k⁺_i), j over the positive and the queue
  const loss = record('infoNce', mean(losses), [q], (dloss) => [mul(dq, dloss)]);
  return { loss, top1: mean(greater(1, rank)), top5: mean(greater(5, rank)) };
}
