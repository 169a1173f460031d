import type { Primitive } from '../backend/backend.js';
import { type Choice, launchedBy } from '../backend/variants.js';
import { checkOptions, flag } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { numel, sameShape, show } from '../core/shape.js';
import type { MatmulParams } from '../reference/matmul.js';
import { record } from '../tensor/autograd.js';
import { run, runTo } from '../tensor/run.js';
import { empty, floatType, type Place, type Tensor, view } from '../tensor/tensor.js';
import { matmulFlops } from './matmul_parts.js';
import { matmulGpu } from './matmul_variants.js';
import { factorsIn, type Precision, precision, precisions, storedIn } from './precision.js';
import { sumTo } from './reduce_launch.js';

export const matmulPrimitive: Primitive<MatmulParams> = { name: 'matmul', gpu: matmulGpu, flops: matmulFlops };

/** How `matmul` reads its operands, and in what precision. */
export interface MatmulOptions {
  /** Read `a` as [.., K, M] and `b` as [.., N, K]. */
  transposeA?: boolean;
  transposeB?: boolean;
  /**
   * `f16`: the result is stored as f16 and factors are rounded to it where the adapter has it; the sum is f32.
   * `f32-exact`: f32 is multiplied as such.
   * Default: see `withPrecision`.
   */
  precision?: Precision;
}

/** What a product of `a` and `b` means, or a ShapeError. Leading axes are the batch; a matrix serves every batch. */
export function matmulPlan(
  a: Tensor,
  b: Tensor,
  { transposeA = false, transposeB = false, precision: p = precision() }: MatmulOptions,
) {
  if (a.rank < 2 || b.rank < 2)
    throw new ShapeError(
      `matmul: matrices must have two axes or more; got ${show(a.shape)} and ${show(b.shape)}. Reshape them.`,
    );
  const lead = a.rank >= b.rank ? a.shape.slice(0, -2) : b.shape.slice(0, -2);
  for (const x of [a, b])
    if (x.rank > 2 && !sameShape(x.shape.slice(0, -2), lead))
      throw new ShapeError(
        `matmul: leading axes must agree, or one operand must be a matrix; ` +
          `got ${show(a.shape)} and ${show(b.shape)}. Reshape one.`,
      );
  const [a0, a1] = a.shape.slice(-2);
  const [b0, b1] = b.shape.slice(-2);
  const [M, K] = transposeA ? [a1, a0] : [a0, a1];
  const [K2, N] = transposeB ? [b1, b0] : [b0, b1];
  if (K !== K2)
    throw new ShapeError(
      `matmul: the inner sizes must agree; got ${show(a.shape)}${transposeA ? 'ᵀ' : ''} and ` +
        `${show(b.shape)}${transposeB ? 'ᵀ' : ''}, ${K} against ${K2}. Transpose or reshape one.`,
    );
  const params: MatmulParams = {
    batch: numel(lead),
    M,
    N,
    K,
    aBatch: a.rank > 2 ? M * K : 0,
    bBatch: b.rank > 2 ? K * N : 0,
    aRow: transposeA ? 1 : K,
    aCol: transposeA ? M : 1,
    bRow: transposeB ? 1 : N,
    bCol: transposeB ? K : 1,
    ...factorsIn(p),
  };
  return { shape: [...lead, M, N], params };
}

/** The gradient a b of x, if it has a place: there, or summed over the batch where x was one matrix for all of it. */
export function gradientOf(
  x: Tensor,
  place: Place | undefined,
  a: Tensor,
  b: Tensor,
  options: MatmulOptions,
): Tensor | undefined {
  if (!place) return undefined;
  const { shape, params } = matmulPlan(a, b, options);
  if (shape.length === x.rank) return runTo(place(), matmulPrimitive, [a, b], params);
  const each = runTo(empty(shape, x.dtype, x.backend), matmulPrimitive, [a, b], params);
  return sumTo(view(each, [params.batch, ...x.shape]), x.shape);
}

const rules = { transposeA: flag, transposeB: flag, precision: precisions };

/** c = a b over the last two axes, batched over the leading ones. a: [.., M, K], b: [.., K, N] -> [.., M, N]. */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  for (const x of [a, b]) floatType('matmul', x);
  checkOptions('matmul', options, rules);
  return product(a, b, options);
}

/** `matmul` of what was checked, by the variant that a caller has chosen already. */
export function product(a: Tensor, b: Tensor, options: MatmulOptions, choice?: Choice<MatmulParams>): Tensor {
  const { transposeA: ta = false, transposeB: tb = false, precision: p = precision() } = options;
  const by = (transposeA: boolean, transposeB: boolean): MatmulOptions => ({ transposeA, transposeB, precision: p });
  const { shape, params } = matmulPlan(a, b, options);
  const c = empty(shape, storedIn(p, a.backend), a.backend);
  run(launchedBy(matmulPrimitive, choice?.launch()), [a, b], [c], params);
  // da = dc bᵀ, db = aᵀ dc, with the operands swapped where they were read transposed
  return record('matmul', c, [a, b], (dc, [da, db]) => [
    ta ? gradientOf(a, da, b, dc, by(tb, true)) : gradientOf(a, da, dc, b, by(false, !tb)),
    tb ? gradientOf(b, db, dc, a, by(true, ta)) : gradientOf(b, db, a, dc, by(!ta, false)),
  ]);
}
