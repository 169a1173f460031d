import { shown } from '../core/check.js';
import { DTypeError } from '../core/errors.js';
import { sameShape } from '../core/shape.js';
import { record } from '../tensor/autograd.js';
import { scalar } from '../tensor/fill.js';
import { type Operand, pairwise } from '../tensor/pairwise.js';
import { type Place, Tensor } from '../tensor/tensor.js';
import { sumTo } from './reduce_launch.js';
import { neg } from './unary.js';

export type { Operand } from '../tensor/pairwise.js';

/**
 * Operands as they are; of two numbers, the first as a tensor. @throws DTypeError for what is neither a tensor nor a
 * number.
 */
function operands(where: string, a: Operand, b: Operand): [Operand, Operand] {
  for (const x of [a, b])
    if (!(x instanceof Tensor || (typeof x === 'number' && !Number.isNaN(x))))
      throw new DTypeError(
        `${where}: operands must be tensors or numbers; got ${shown(x)}. Make a tensor with tensor().`,
      );
  return [typeof a === 'number' && typeof b === 'number' ? scalar(a) : a, b];
}

/** Given dL/dy, how to compute the gradient of either operand. */
type Rules = (dy: Tensor) => readonly [a: () => Tensor, b: () => Tensor];

/**
 * Records how gradients follow to those operands that are tensors, summed to their shapes where they were stretched.
 */
function recorded(name: string, y: Tensor, both: readonly [Operand, Operand], rules: Rules): Tensor {
  const at = [0, 1].filter((i) => both[i] instanceof Tensor);
  const inputs = at.map((i) => both[i] as Tensor);
  const back = (d: Tensor, x: Tensor, place: Place): Tensor =>
    sameShape(d.shape, x.shape) ? d : sumTo(d, x.shape, place);
  return record(name, y, inputs, (dy, places) => {
    const made = rules(dy);
    return inputs.map((x, i) => places[i] && back(made[at[i]](), x, places[i]));
  });
}

/** y = a + b, broadcasting. */
export function add(a: Operand, b: Operand): Tensor {
  const [u, v] = operands('add', a, b);
  // da = dy, db = dy
  return recorded('add', pairwise('add', u, v), [u, v], (dy) => [() => dy, () => dy]);
}

/** y = a - b, broadcasting. */
export function sub(a: Operand, b: Operand): Tensor {
  const [u, v] = operands('sub', a, b);
  // da = dy, db = -dy
  return recorded('sub', pairwise('sub', u, v), [u, v], (dy) => [() => dy, () => neg(dy)]);
}

/** y = a b, broadcasting. */
export function mul(a: Operand, b: Operand): Tensor {
  const [u, v] = operands('mul', a, b);
  // da = dy b, db = dy a
  return recorded('mul', pairwise('mul', u, v), [u, v], (dy) => [
    () => pairwise('mul', dy, v),
    () => pairwise('mul', dy, u),
  ]);
}

/** y = a / b, broadcasting. */
export function div(a: Operand, b: Operand): Tensor {
  const [u, v] = operands('div', a, b);
  const y = pairwise('div', u, v);
  // da = dy / b, db = -dy y / b
  return recorded('div', y, [u, v], (dy) => [
    () => pairwise('div', dy, v),
    () => neg(pairwise('div', pairwise('mul', dy, y), v)),
  ]);
}

/** y = 1 where a > b, else 0; no gradient. */
export const greater = (a: Operand, b: Operand): Tensor => pairwise('greater', ...operands('greater', a, b));

/** y = max(a, b), broadcasting, NaN where one is; where they are equal, or NaN, the gradient goes to b. */
export function maximum(a: Operand, b: Operand): Tensor {
  const [u, v] = operands('maximum', a, b);
  return recorded('maximum', pairwise('maximum', u, v), [u, v], (dy) => {
    const ofA = pairwise('mul', dy, pairwise('greater', u, v));
    return [() => ofA, () => pairwise('sub', dy, ofA)];
  });
}
