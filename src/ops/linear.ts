import type { Primitive } from '../backend/backend.js';
import { Choice, choose, launchedBy } from '../backend/variants.js';
import { checkOptions } from '../core/check.js';
import type { MatmulParams } from '../reference/matmul.js';
import { record } from '../tensor/autograd.js';
import { run } from '../tensor/run.js';
import { checkSameShape, empty, floatType, type Tensor } from '../tensor/tensor.js';
import { add } from './binary.js';
import { gradientOf, type MatmulOptions, matmulPlan, product } from './matmul.js';
import { matmulFlops } from './matmul_parts.js';
import { matmulVariants } from './matmul_variants.js';
import { precision, precisions, storedIn } from './precision.js';
import { sumTo } from './reduce_launch.js';

/** [x, w, bias] -> [y], where the variant adds a bias on its way. */
export const linearPrimitive: Primitive<MatmulParams> = {
  name: 'linear',
  gpu: (p, traits) => new Choice(matmulVariants, p, traits).bias()!,
  flops: matmulFlops,
};

/**
 * y = x wᵀ + bias. x: [M, K], w: [N, K], bias: [N] -> [M, N]. In f32 to the bit what `add` makes of the product, in one
 * dispatch where its kernel can; with `f16` that rounds the result once.
 */
export function linear(x: Tensor, w: Tensor, bias?: Tensor, given: Pick<MatmulOptions, 'precision'> = {}): Tensor {
  for (const t of [x, w, ...(bias === undefined ? [] : [bias])]) floatType('linear', t);
  checkOptions('linear', given, { precision: precisions });
  const { precision: p = precision() } = given;
  const options = { transposeB: true, precision: p };
  if (bias === undefined) return product(x, w, options);
  const { shape, params } = matmulPlan(x, w, options);
  checkSameShape('linear', 'the bias', bias, [params.N]);
  const choice = choose(x.backend, matmulVariants, params);
  const biased = choice?.bias();
  if (params.batch > 1 || (choice && !biased)) return add(product(x, w, options, choice), bias);
  const y = empty(shape, storedIn(p, x.backend), x.backend);
  run(launchedBy(linearPrimitive, biased), [x, w, bias], [y], params);
  // dx = dy w, dw = dyᵀ x, dbias = Σ dy over rows
  return record('linear', y, [x, w, bias], (dy, [dx, dw, dbias]) => [
    gradientOf(x, dx, dy, w, { precision: p }),
    gradientOf(w, dw, dy, x, { transposeA: true, precision: p }),
    dbias && sumTo(dy, [params.N], dbias),
  ]);
}
