import { add, div, mul } from '../ops/binary.js';
import { rowDot } from '../ops/row_dot.js';
import { clamp, sqrt } from '../ops/unary.js';
import type { Guard } from '../ops/update.js';
import { where } from '../ops/where.js';
import { zeros } from '../tensor/fill.js';
import { type Tensor, view } from '../tensor/tensor.js';

/** What is added to a norm before it divides, as by torch's clip_grad_norm_. */
const EPS = 1e-6;

/**
 * The guard by which a step takes gradients of norm `most` at most: min(1, most / (‖guard dw‖ + 1e-6)), times the guard
 * of a scaled loss where there is one; a step that such a guard skips stays skipped, whatever the gradients are.
 *
 * @param dw f32 [length], every gradient.
 */
export function clipGuard(dw: Tensor, most: number, guard?: Guard): Guard {
  const norm = sqrt(rowDot(dw, dw));
  const scaled = view(guard ? mul(norm, guard) : norm, [1]);
  // an infinite norm makes no number, which is seen, and not a step that is passed over
  const factor = add(clamp(div(most, add(scaled, EPS)), 0, 1), mul(scaled, 0));
  return guard ? where(guard, mul(guard, factor), zeros([1])) : factor;
}
