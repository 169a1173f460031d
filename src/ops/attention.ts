import source from '../../kernels/attention.wgsl';
import { record } from '../autograd.js';
import type { Primitive } from '../backend/backend.js';
import { kernel, type Kernel } from '../gpu/kernel.js';
import { attention as mirror, type AttentionParams } from '../reference/attention.js';
import { empty, run, type Tensor } from '../tensor.js';

/** A kernel for every size of a head that is met. */
function bySize(name: string, text: string): (D: number) => Kernel {
  const made = new Map<number, Kernel>();
  return (D) => made.get(D) ?? made.set(D, kernel(name, text, { D })).get(D)!;
}

const direct = bySize('attention', source);

const threads = (n: number) => Math.ceil(n / 64);

/** [q, kv] -> [y, lse] */
export const attentionPrimitive: Primitive<AttentionParams> = {
  name: 'attention',
  mirror,
  gpu: ({ D, ...p }, { software }) => ({ kernel: direct(D), params: { ...p }, groups: threads(p.batch * p.H * Math.ceil(p.Nq / 4)) }),
};

export function attentionQkv(qkv: Tensor, heads: number): Tensor {
  const [batch, N, width] = qkv.shape;
  const D = width / 3 / heads;
  const y = empty([batch, N, heads * D], 'f32', qkv.backend);
  const lse = empty([batch, N, heads], 'f32', qkv.backend);
  run(attentionPrimitive, [qkv, qkv], [y, lse], { batch, H: heads, D, Nq: N, Nk: N, qRow: width, kvRow: width, kStart: heads * D, scale: D ** -0.5 });
  return y;
}
