import source from '../../kernels/cross_entropy.wgsl';
import gradSource from '../../kernels/cross_entropy_grad.wgsl';
import type { Primitive } from '../backend/backend.js';
import { ShapeError } from '../core/errors.js';
import { show } from '../core/shape.js';
import { kernel } from '../gpu/kernel.js';
import type { Rows } from '../reference/row_dot.js';
import { record } from '../tensor/autograd.js';
import { full } from '../tensor/fill.js';
import { pairwise } from '../tensor/pairwise.js';
import { runTo } from '../tensor/run.js';
import { checkSameShape, empty, floatType, type Tensor, view } from '../tensor/tensor.js';
import { type Places, placesIn } from './places.js';
import { reduced } from './reduce_launch.js';
import { slotsOf } from './row_dot.js';
import { softmaxStats } from './softmax.js';

const [shader, gradShader] = [kernel('cross_entropy', source), kernel('cross_entropy_grad', gradSource)];

const primitive: Primitive<Rows> = {
  name: 'cross_entropy',
  gpu: (p) => ({ kernel: shader, params: { ...p }, groups: Math.ceil(p.rows / 64) }),
};

const gradient: Primitive<Rows> = {
  name: 'cross_entropy_grad',
  gpu: (p, traits) => {
    const slots = slotsOf(p, traits);
    return { kernel: gradShader, params: { ...p, slots }, groups: Math.ceil((p.rows * slots) / 64) };
  },
};

/**
 * The mean over rows of -ln softmax(logits)[label], as torch's cross_entropy.
 *
 * @param logits [N, C]
 * @param labels u32 [N], each below C. Numbers are checked. A tensor's lie on the device: one that is C or more makes
 * the loss and its
 *   row of the gradient NaN.
 * @returns a scalar
 */
export function crossEntropy(logits: Tensor, labels: Places): Tensor {
  floatType('crossEntropy', logits);
  if (logits.rank !== 2 || logits.size === 0)
    throw new ShapeError(
      `crossEntropy: logits must be [N, C], with a row and a class at least; got ${show(logits.shape)}. Reshape them.`,
    );
  const [rows, C] = logits.shape;
  const y = placesIn('crossEntropy', 'labels', labels, C);
  checkSameShape('crossEntropy', 'labels', y, [rows]);
  const stats = softmaxStats(logits, { rows, C });
  const each = runTo(empty([rows], 'f32', logits.backend), primitive, [logits, y, stats], { rows, C });
  const loss = view(reduced('sum', each, 0, 0, 1 / rows), []);
  // dlogits = dloss / N (softmax(logits) - one-hot(labels)), row by row
  return record('crossEntropy', loss, [logits], (dloss, [dlogits]) => {
    const deach = pairwise('mul', dloss, full([rows], 1 / rows));
    return [runTo(dlogits(), gradient, [logits, y, stats, deach], { rows, C })];
  });
}
