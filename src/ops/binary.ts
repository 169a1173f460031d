import { record } from '../autograd.js';
import { sameShape } from '../core/shape.js';
import { scalar } from '../fill.js';
import { pairwise } from '../pairwise.js';
import { Tensor } from '../tensor.js';
import { sumTo } from './reduce.js';
import { neg } from './unary.js';

type Operand = Tensor | number;

const lift = (x: Operand): Tensor => (x instanceof Tensor ? x : scalar(x));

/** A gradient of the broadcast shape, summed back to the shape of the operand it belongs to. */
const back = (d: Tensor, x: Tensor): Tensor => (sameShape(d.shape, x.shape) ? d : sumTo(d, x.shape));

/** y = a + b, broadcasting. */
export function add(a: Tensor, b: Operand): Tensor {
  const v = lift(b);
  // da = dy, db = dy
  return record('add', pairwise('add', a, v), [a, v], (dy, [da, db]) => [da && back(dy, a), db && back(dy, v)]);
}

/** y = a - b, broadcasting. */
export function sub(a: Operand, b: Operand): Tensor {
  const [u, v] = [lift(a), lift(b)];
  // da = dy, db = -dy
  return record('sub', pairwise('sub', u, v), [u, v], (dy, [da, db]) => [da && back(dy, u), db && back(neg(dy), v)]);
}

/** y = a b, broadcasting. */
export function mul(a: Tensor, b: Operand): Tensor {
  const v = lift(b);
  // da = dy b, db = dy a
  return record('mul', pairwise('mul', a, v), [a, v], (dy, [da, db]) => [da && back(pairwise('mul', dy, v), a), db && back(pairwise('mul', dy, a), v)]);
}

/** y = a / b, broadcasting. */
export function div(a: Operand, b: Operand): Tensor {
  const [u, v] = [lift(a), lift(b)];
  const y = pairwise('div', u, v);
  // da = dy / b, db = -dy y / b
  return record('div', y, [u, v], (dy, [da, db]) => [
    da && back(pairwise('div', dy, v), u),
    db && back(neg(pairwise('div', pairwise('mul', dy, y), v)), v),
  ]);
}

/** y = 1 where a > b, else 0; no gradient. */
export const greater = (a: Operand, b: Operand): Tensor => pairwise('greater', lift(a), lift(b));

/** y = max(a, b), broadcasting, NaN where one is; where they are equal, or NaN, the gradient goes to b. */
export function maximum(a: Tensor, b: Operand): Tensor {
  const v = lift(b);
  return record('maximum', pairwise('maximum', a, v), [a, v], (dy, [da, db]) => {
    const ofA = pairwise('mul', dy, pairwise('greater', a, v));
    return [da && back(ofA, a), db && back(pairwise('sub', dy, ofA), v)];
  });
}
