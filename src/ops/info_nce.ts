import type { Primitive } from '../backend/backend.js';
import { above0, check } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { sameShape, show } from '../core/shape.js';
import type { InfoNceParams } from '../reference/info_nce.js';
import { record } from '../tensor/autograd.js';
import { run } from '../tensor/run.js';
import { checkDType, empty, type Tensor } from '../tensor/tensor.js';
import { greater, mul } from './binary.js';
import { infoNceFlops, infoNceGpu } from './info_nce_variants.js';
import { mean } from './reduce.js';

/** Buffers: q, positive, queue, loss, rank, dq. */
export const infoNcePrimitive: Primitive<InfoNceParams> = { name: 'info_nce', gpu: infoNceGpu, flops: infoNceFlops };

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
