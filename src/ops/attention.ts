import type { Primitive } from '../backend/backend.js';
import { anyNumber, checkOptions, whole } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { show } from '../core/shape.js';
import type { AttentionParams } from '../reference/attention.js';
import { record } from '../tensor/autograd.js';
import { run } from '../tensor/run.js';
import { checkSameShape, empty, floatType, type Tensor } from '../tensor/tensor.js';
import { attentionFlops, attentionGpu, attentionGradFlops, attentionGradGpu } from './attention_variants.js';
import { precision } from './precision.js';
import { concat } from './strided.js';

/** [q, kv] -> [y, lse] */
export const attentionPrimitive: Primitive<AttentionParams> = {
  name: 'attention',
  gpu: attentionGpu,
  flops: attentionFlops,
};

/** [q, kv, y, lse, dy] -> [dq, dkv] */
export const attentionGradPrimitive: Primitive<AttentionParams> = {
  name: 'attention_grad',
  gpu: attentionGradGpu,
  flops: attentionGradFlops,
};

/** Heads and scale of attention. */
export interface AttentionOptions {
  /** Heads that the width is divided among. Default 1. */
  heads?: number;
  /** Factor of the scores. Default 1 / √D, D the size of a head. */
  scale?: number;
}

/** Checks a width and divides it among heads. */
export function headSize(where: string, x: Tensor, parts: number, options: AttentionOptions): number {
  floatType(where, x);
  checkOptions(where, options, { heads: whole(1), scale: anyNumber });
  const { heads = 1 } = options;
  const D = x.shape[x.rank - 1] / parts / heads;
  if (x.rank !== 3 || !Number.isInteger(D) || D < 1)
    throw new ShapeError(
      `${where}: x must be [batch, N, ${parts > 1 ? `${parts} · ` : ''}heads · D]; ` +
        `got ${show(x.shape)} for ${heads} heads. Choose heads that divide the width.`,
    );
  return D;
}

/** Whether factors may be rounded to halves: they are, or f16 was asked for. */
const isHalf = (q: Tensor, kv: Tensor): 0 | 1 =>
  precision() === 'f16' || (q.dtype === 'f16' && kv.dtype === 'f16') ? 1 : 0;

function forward(q: Tensor, kv: Tensor, p: AttentionParams) {
  const y = empty([p.batch, p.Nq, p.H * p.D], q.dtype, q.backend);
  const lse = empty([p.batch, p.Nq, p.H], 'f32', q.backend);
  run(attentionPrimitive, [q, kv], [y, lse], p);
  return { y, lse };
}

/**
 * Attention of every head: softmax(scale q kᵀ) v. The matrix of scores never is in memory; in the gradient of halves on
 * tensor cores, what is sent back to scores is, of as many heads at a time as fit into 128 MiB. What NaN or infinity
 * reaches is neither finite, in gradients too; which of both it is, adapters decide. With `withPrecision('f16')`, or q,
 * k and v stored as f16, factors and weights may be rounded to halves; scores, the softmax and sums are f32.
 *
 * @param q [batch, Nq, heads · D]
 * @param k [batch, Nk, heads · D], Nk at least 1
 * @param v like k
 * @returns [batch, Nq, heads · D]
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  const D = headSize('attention', q, 1, options);
  const { heads = 1, scale } = options;
  const [batch, Nq, width] = q.shape;
  floatType('attention', k);
  const Nk = k.shape[1];
  if (!(Nk > 0))
    throw new ShapeError(
      `attention: there must be a key to attend to; got k ${show(k.shape)}. Pass [batch, Nk, heads · D].`,
    );
  for (const [name, t] of [
    ['k', k],
    ['v', v],
  ] as const)
    checkSameShape('attention', name, t, [batch, Nk, width]);
  const kv = concat([k, v], 2);
  const p = {
    batch,
    H: heads,
    D,
    Nq,
    Nk,
    qRow: width,
    kvRow: 2 * width,
    kStart: 0,
    scale: scale ?? D ** -0.5,
    half: isHalf(q, kv),
  };
  const { y, lse } = forward(q, kv, p);
  // dv = Pᵀ dy, dS = P (dy vᵀ - Σ y dy), dq = scale dS k, dk = scale dSᵀ q
  return record('attention', y, [q, kv], (dy, places) => {
    const made = [q, kv].map((x, i) => (places[i] ?? (() => empty(x.shape, x.dtype, x.backend)))());
    run(attentionGradPrimitive, [q, kv, y, lse, dy], made, p);
    return made;
  });
}

/**
 * `attention` of a sequence to itself. qkv: [batch, N, 3 · heads · D], queries, keys and values as one product gives
 * them.
 */
export function attentionQkv(qkv: Tensor, options: AttentionOptions = {}): Tensor {
  const D = headSize('attentionQkv', qkv, 3, options);
  const { heads = 1, scale } = options;
  const [batch, N, width] = qkv.shape;
  const p = {
    batch,
    H: heads,
    D,
    Nq: N,
    Nk: N,
    qRow: width,
    kvRow: width,
    kStart: width / 3,
    scale: scale ?? D ** -0.5,
    half: isHalf(qkv, qkv),
  };
  const { y, lse } = forward(qkv, qkv, p);
  return record('attentionQkv', y, [qkv], (dy, [place]) => {
    const d = place();
    run(attentionGradPrimitive, [qkv, qkv, y, lse, dy], [d, d], p);
    return [d];
  });
}
