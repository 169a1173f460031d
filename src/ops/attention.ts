import source from '../../kernels/attention.wgsl';
import dkvSource from '../../kernels/attention_dkv.wgsl';
import dqSource from '../../kernels/attention_dq.wgsl';
import { record } from '../autograd.js';
import type { Primitive } from '../backend/backend.js';
import { ShapeError } from '../core/errors.js';
import { show } from '../core/shape.js';
import { kernel, type Kernel } from '../gpu/kernel.js';
import { attention as mirror, attentionGrad as gradMirror, type AttentionParams } from '../reference/attention.js';
import { checkSameShape, empty, floatType, run, type Tensor } from '../tensor.js';
import { rowDotLaunches } from './row_dot.js';
import { concat } from './strided.js';

/** A kernel for every size of a head that is met. */
function bySize(name: string, text: string): (D: number) => Kernel {
  const made = new Map<number, Kernel>();
  return (D) => made.get(D) ?? made.set(D, kernel(name, text, { D })).get(D)!;
}

const [direct, directDq, directDkv] = [bySize('attention', source), bySize('attention_dq', dqSource), bySize('attention_dkv', dkvSource)];

/** Workgroups for `N` rows of every head, four a thread. */
const groupsOf = ({ batch, H }: AttentionParams, N: number) => Math.ceil((batch * H * Math.ceil(N / 4)) / 64);

/** Operations of one product of every head: scores, or anything summed with them. */
const productFlops = ({ batch, H, Nq, Nk, D }: AttentionParams): number => 2 * batch * H * Nq * Nk * D;

/** [q, kv] -> [y, lse] */
const primitive: Primitive<AttentionParams> = {
  name: 'attention',
  mirror,
  flops: (p) => 2 * productFlops(p),
  gpu: (p) => ({ kernel: direct(p.D), params: { ...p }, groups: groupsOf(p, p.Nq) }),
};

/** [q, kv, y, lse, dy] -> [dq, dkv] */
const gradient: Primitive<AttentionParams> = {
  name: 'attention_grad',
  mirror: gradMirror,
  gpu: (p) => {
    const rows = p.batch * p.Nq * p.H;
    const delta = rowDotLaunches({ rows, C: p.D }, 1, [2, 4, 7]); // Σ y dy, all that the weights' normalisation sends back
    const dq = { kernel: directDq(p.D), params: { ...p }, groups: groupsOf(p, p.Nq), bind: [0, 1, 3, 4, 7, 5], flops: 3 * productFlops(p) };
    const dkv = { kernel: directDkv(p.D), params: { ...p }, groups: groupsOf(p, p.Nk), bind: [0, 1, 3, 4, 7, 6], flops: 4 * productFlops(p) };
    return { scratch: [rows], launches: [...delta, dq, dkv] };
  },
};

/** Heads and scale of attention. */
export interface AttentionOptions {
  /** Heads that the width is divided among. Default 1. */
  heads?: number;
  /** Factor of the scores. Default 1 / √D, D the size of a head. */
  scale?: number;
}

/** Checks a width and divides it among heads. */
function headSize(where: string, x: Tensor, parts: number, heads: number): number {
  floatType(where, x);
  const D = x.shape[x.rank - 1] / parts / heads;
  if (x.rank !== 3 || !Number.isInteger(D) || D < 1)
    throw new ShapeError(`${where}: x is [batch, N, ${parts > 1 ? `${parts} · ` : ''}heads · D]; got ${show(x.shape)} for ${heads} heads. Choose heads that divide the width.`);
  return D;
}

function forward(q: Tensor, kv: Tensor, p: AttentionParams) {
  const y = empty([p.batch, p.Nq, p.H * p.D], q.dtype, q.backend);
  const lse = empty([p.batch, p.Nq, p.H], 'f32', q.backend);
  run(primitive, [q, kv], [y, lse], p);
  return { y, lse };
}

/**
 * Attention of every head: softmax(scale q kᵀ) v. The matrix of scores never is in memory, in either direction.
 *
 * @param q [batch, Nq, heads · D]
 * @param k [batch, Nk, heads · D], Nk at least 1
 * @param v like k
 * @returns [batch, Nq, heads · D]
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, { heads = 1, scale }: AttentionOptions = {}): Tensor {
  const D = headSize('attention', q, 1, heads);
  const [batch, Nq, width] = q.shape;
  const Nk = k.shape[1];
  if (!(Nk > 0)) throw new ShapeError(`attention: there must be a key to attend to; got k ${show(k.shape)}. Pass [batch, Nk, heads · D].`);
  for (const [name, t] of [['k', k], ['v', v]] as const) checkSameShape('attention', name, t, [batch, Nk, width]);
  const kv = concat([k, v], 2);
  const p = { batch, H: heads, D, Nq, Nk, qRow: width, kvRow: 2 * width, kStart: 0, scale: scale ?? D ** -0.5 };
  const { y, lse } = forward(q, kv, p);
  let made: Tensor[] | undefined;
  const grads = (dy: Tensor) => {
    if (!made) run(gradient, [q, kv, y, lse, dy], (made = [q, kv].map((x) => empty(x.shape, x.dtype, x.backend))), p);
    return made;
  };
  // dv = Pᵀ dy, dS = P (dy vᵀ - Σ y dy), dq = scale dS k, dk = scale dSᵀ q
  return record('attention', y, [q, kv], (dy) => [() => grads(dy)[0], () => grads(dy)[1]]);
}

/** `attention` of a sequence to itself. qkv: [batch, N, 3 · heads · D], queries, keys and values as one product gives them. */
export function attentionQkv(qkv: Tensor, { heads = 1, scale }: AttentionOptions = {}): Tensor {
  const D = headSize('attentionQkv', qkv, 3, heads);
  const [batch, N, width] = qkv.shape;
  const p = { batch, H: heads, D, Nq: N, Nk: N, qRow: width, kvRow: width, kStart: width / 3, scale: scale ?? D ** -0.5 };
  const { y, lse } = forward(qkv, qkv, p);
  return record('attentionQkv', y, [qkv], (dy) => [
    () => {
      const d = empty(qkv.shape, qkv.dtype, qkv.backend);
      run(gradient, [qkv, qkv, y, lse, dy], [d, d], p);
      return d;
    },
  ]);
}
