import source from '../../kernels/matmul.wgsl';
import tiledSource from '../../kernels/matmul_tiled.wgsl';
import { record } from '../autograd.js';
import type { Primitive } from '../backend/backend.js';
import { ShapeError } from '../core/errors.js';
import { numel, sameShape, show } from '../core/shape.js';
import { kernel } from '../gpu/kernel.js';
import { matmul as mirror, type MatmulParams } from '../reference/matmul.js';
import { checkDType, empty, run, type Tensor, view } from '../tensor.js';
import { sum } from './reduce.js';

const direct = kernel('matmul', source);
const tiled = kernel('matmul_tiled', tiledSource);

export const matmulPrimitive: Primitive<MatmulParams> = {
  name: 'matmul',
  mirror,
  gpu: ({ batch, ...p }, { software }) => {
    const rows = Math.ceil(p.M / (software ? 16 : 64));
    const groups = batch * rows * Math.ceil(p.N / 64);
    if (software) return { kernel: direct, params: { ...p }, groups };
    return { kernel: tiled, constants: { A_T: p.aRow === 1 ? 1 : 0, B_T: p.bRow === 1 ? 1 : 0 }, params: { ...p }, groups };
  },
};

export interface MatmulOptions {
  /** Read `a` as [.., K, M] and `b` as [.., N, K]. */
  transposeA?: boolean;
  transposeB?: boolean;
}

/** What a product of `a` and `b` means, or a ShapeError. Leading axes are the batch; a matrix serves every batch. */
function plan(a: Tensor, b: Tensor, { transposeA = false, transposeB = false }: MatmulOptions) {
  if (a.rank < 2 || b.rank < 2) throw new ShapeError(`matmul: matrices have two axes or more; got ${show(a.shape)} and ${show(b.shape)}. Reshape them.`);
  const lead = a.rank >= b.rank ? a.shape.slice(0, -2) : b.shape.slice(0, -2);
  for (const x of [a, b])
    if (x.rank > 2 && !sameShape(x.shape.slice(0, -2), lead))
      throw new ShapeError(`matmul: leading axes must agree, or one operand be a matrix; got ${show(a.shape)} and ${show(b.shape)}. Reshape one.`);
  const [a0, a1] = a.shape.slice(-2);
  const [b0, b1] = b.shape.slice(-2);
  const [M, K] = transposeA ? [a1, a0] : [a0, a1];
  const [K2, N] = transposeB ? [b1, b0] : [b0, b1];
  if (K !== K2)
    throw new ShapeError(`matmul: the inner sizes must agree; got ${show(a.shape)}${transposeA ? 'ᵀ' : ''} and ${show(b.shape)}${transposeB ? 'ᵀ' : ''}, ${K} against ${K2}. Transpose or reshape one.`);
  const params: MatmulParams = {
    batch: numel(lead), M, N, K,
    aBatch: a.rank > 2 ? M * K : 0, bBatch: b.rank > 2 ? K * N : 0,
    aRow: transposeA ? 1 : K, aCol: transposeA ? M : 1,
    bRow: transposeB ? 1 : N, bCol: transposeB ? K : 1,
  };
  return { shape: [...lead, M, N], params };
}

function product(a: Tensor, b: Tensor, options: MatmulOptions, into?: Tensor): Tensor {
  const { shape, params } = plan(a, b, options);
  const c = into && sameShape(into.shape, shape) ? into : empty(shape, 'f32', a.backend);
  run(matmulPrimitive, [a, b], [c], params);
  return c;
}

/** A gradient summed over the batch where the operand was one matrix for all of it. */
function gradientOf(x: Tensor, a: Tensor, b: Tensor, options: MatmulOptions, into?: Tensor): Tensor {
  const d = product(a, b, options, into);
  return d.rank === x.rank ? d : sum(view(d, [numel(d.shape.slice(0, -2)), ...x.shape]), 0);
}

/** c = a b over the last two axes, batched over the leading ones. a: [.., M, K], b: [.., K, N] -> [.., M, N]. */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  checkDType('matmul', a, 'f32');
  checkDType('matmul', b, 'f32');
  const { transposeA: ta = false, transposeB: tb = false } = options;
  // da = dc bᵀ, db = aᵀ dc, with the operands swapped where they were read transposed
  return record('matmul', product(a, b, options), [a, b], (dc) => [
    (into) => (ta ? gradientOf(a, b, dc, { transposeA: tb, transposeB: true }, into) : gradientOf(a, dc, b, { transposeB: !tb }, into)),
    (into) => (tb ? gradientOf(b, dc, a, { transposeA: true, transposeB: ta }, into) : gradientOf(b, a, dc, { transposeA: !ta }, into)),
  ]);
}
