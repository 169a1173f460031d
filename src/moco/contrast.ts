import { greater, mul, sub } from '../ops/binary.js';
import { crossEntropy } from '../ops/cross_entropy.js';
import { l2Normalize } from '../ops/l2_normalize.js';
import { matmul } from '../ops/matmul.js';
import { pick } from '../ops/pick.js';
import { precisionOfF32 } from '../ops/precision.js';
import { mean, sum } from '../ops/reduce.js';
import { reshape } from '../ops/reshape.js';
import { type Tensor, tensor } from '../tensor/tensor.js';
import type { Measures } from './method.js';

/**
 * InfoNCE within a batch: query i is to pick key i among the N keys. Gradients flow to both.
 *
 * @param q f32 [N, dim], of any length
 * @param k f32 [N, dim]
 */
export const contrast = (q: Tensor, k: Tensor, T: number): Measures =>
  classify(l2Normalize(q), l2Normalize(k), T, places(q.shape[0]));

/** Softmax over the similarities of queries with keys [M, dim]; the key of query i is labels[i]. */
export function classify(q: Tensor, keys: Tensor, T: number, labels: Tensor): Measures {
  const logits = mul(matmul(q, keys, { transposeB: true, precision: precisionOfF32() }), 1 / T); // N × M
  return { loss: crossEntropy(logits, labels), ...accuracy(logits, pick(logits, labels)) };
}

/** Below every finite f32 but the least. */
const LEAST = -3.4028234663852886e38;

/**
 * How often `positive` [N] is above all others in its row of scores [N, M], and above all but four: equals count
 * against it, so that a collapsed encoder is never right, and so does NaN on either side.
 *
 * @param own how many of a row's scores are the positive itself: 1 or 0.
 */
export function accuracy(scores: Tensor, positive: Tensor, own: 0 | 1 = 1): { top1: Tensor; top5: Tensor } {
  // others that are not below
  const rank = sub(scores.shape[1] - own, sum(greater(reshape(positive, [positive.size, 1]), scores), 1));
  const [top1, top5] = [1, 5].map((k) => mean(mul(greater(k, rank), greater(positive, LEAST))));
  return { top1, top5 };
}

/** 0 .. N-1: a constant of a compiled step. */
export const places = (N: number): Tensor => tensor(Uint32Array.from({ length: N }, (_, i) => i));
