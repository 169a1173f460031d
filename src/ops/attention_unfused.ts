import { checkSameShape, floatType, type Tensor } from '../tensor/tensor.js';
import { type AttentionOptions, headSize } from './attention.js';
import { mul } from './binary.js';
import { matmul } from './matmul.js';
import { reshape } from './reshape.js';
import { softmax } from './softmax.js';
import { transpose } from './strided.js';

/**
 * Attention by products and a softmax, its matrices of scores in memory: what `attention` is checked and timed against.
 */
export function attentionUnfused(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  headSize('attentionUnfused', q, 1, options);
  const { heads = 1, scale } = options;
  const [batch, Nq, width] = q.shape;
  floatType('attentionUnfused', k);
  for (const [name, t] of [
    ['k', k],
    ['v', v],
  ] as const)
    checkSameShape('attentionUnfused', name, t, [batch, k.shape[1], width]);
  const [qh, kh, vh] = [q, k, v].map((x) =>
    transpose(reshape(x, [batch, x.shape[1], heads, width / heads]), [0, 2, 1, 3]),
  );
  const scores = mul(matmul(qh, kh, { transposeB: true }), scale ?? (width / heads) ** -0.5);
  return reshape(transpose(matmul(softmax(scores), vh), [0, 2, 1, 3]), [batch, Nq, width]);
}
