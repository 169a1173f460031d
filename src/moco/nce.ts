import { add, div, greater, mul } from '../ops/binary.js';
import { matmul } from '../ops/matmul.js';
import { pick } from '../ops/pick.js';
import { precisionOfF32 } from '../ops/precision.js';
import { sum } from '../ops/reduce.js';
import { reshape } from '../ops/reshape.js';
import { rowDot } from '../ops/row_dot.js';
import { concat, slice } from '../ops/strided.js';
import { exp, log } from '../ops/unary.js';
import { where } from '../ops/where.js';
import { copyInto } from '../tensor/accumulate.js';
import { noGrad } from '../tensor/autograd.js';
import type { Tensor } from '../tensor/tensor.js';
import { accuracy, places } from './contrast.js';
import type { Measures } from './method.js';

const EPS = 1e-7;

/**
 * Noise-contrastive estimation against uniform noise (Wu et al., arXiv:1805.01978, section 3.2): each query tells its
 * own row from K negatives, -ln h(own) - Σ ln(1 - h(negative)) with h = P / (P + K/n) and P = exp(v·w / T) / Z.
 *
 * @param v queries f32 [N, dim]; `own` the row of each, f32 [N, dim]; `negatives` f32 [K, dim].
 * @param n rows of the bank.
 * @param Z f32 [1]. While it is 0 it is set, in place, to n times the mean of exp(v·w / T), and stays.
 */
export function nce(v: Tensor, own: Tensor, negatives: Tensor, T: number, n: number, Z: Tensor): Measures {
  const [N, K] = [v.shape[0], negatives.shape[0]];
  // N × (N + K): one sum for all, so that equals tie
  const scores = matmul(v, concat([own, negatives]), { transposeB: true, precision: precisionOfF32() });
  const [positive, negative] = [rowDot(v, own), slice(scores, 1, N, N + K)]; // N and N × K
  const [e0, eK] = [positive, negative].map((s) => exp(mul(s, 1 / T)));
  noGrad(() => copyInto(Z, where(greater(Z, 0), Z, mul(reshape(add(sum(e0), sum(eK)), [1]), n / (N * (K + 1))))));
  const [P0, PK] = [div(e0, Z), div(eK, Z)];
  const data = sum(log(div(P0, add(P0, K / n + EPS)))); // ln h(own)
  const noise = sum(log(div(K / n, add(PK, K / n + EPS)))); // ln(1 - h(negative))
  return { loss: mul(add(data, noise), -1 / N), ...accuracy(negative, pick(scores, places(N)), 0) };
}
