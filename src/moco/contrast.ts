import { greater, mul } from '../ops/binary.js';
import { crossEntropy } from '../ops/cross_entropy.js';
import { l2Normalize } from '../ops/l2_normalize.js';
import { matmul } from '../ops/matmul.js';
import { pick } from '../ops/pick.js';
import { mean, sum } from '../ops/reduce.js';
import { reshape } from '../ops/reshape.js';
import { type Tensor, tensor } from '../tensor.js';
import type { Measures } from './method.js';

/**
 * InfoNCE within a batch: query i is to pick key i among the N keys. Gradients flow to both.
 *
 * @param q f32 [N, dim], of any length
 * @param k f32 [N, dim]
 */
export const contrast = (q: Tensor, k: Tensor, T: number): Measures => classify(l2Normalize(q), l2Normalize(k), T, places(q.shape[0]));

/** Softmax over the similarities of queries with keys [M, dim]; the key of query i is labels[i]. */
export function classify(q: Tensor, keys: Tensor, T: number, labels: Tensor): Measures {
  const logits = mul(matmul(q, keys, { transposeB: true, precision: 'f32' }), 1 / T); // N × M
  return { loss: crossEntropy(logits, labels), ...accuracy(logits, pick(logits, labels)) };
}

/** How often `positive` [N] is the largest of its row of scores [N, M], and among the five largest. */
export function accuracy(scores: Tensor, positive: Tensor): { top1: Tensor; top5: Tensor } {
  const rank = sum(greater(scores, reshape(positive, [positive.size, 1])), 1);
  return { top1: mean(greater(1, rank)), top5: mean(greater(5, rank)) };
}

/** 0 .. N-1: a constant of a compiled step. */
const places = (N: number): Tensor => tensor(Uint32Array.from({ length: N }, (_, i) => i));
