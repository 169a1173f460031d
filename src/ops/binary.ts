import { record } from '../tensor/autograd.js';
import { told } from '../core/check.js';
import { DTypeError } from '../core/errors.js';
import { sameShape } from '../core/shape.js';
import { scalar } from '../tensor/fill.js';
import { pairwise } from '../tensor/pairwise.js';
import { Tensor } from '../tensor/tensor.js';
import { sumTo } from './reduce_launch.js';
import { neg } from './unary.js';

type Operand = Tensor | number;

/** An operand as a tensor. @throws DTypeError for what is neither a tensor nor a number. */
function lift(where: string, x: Operand): Tensor {
  if (x instanceof Tensor) return x;
  if (typeof x === 'number' && !Number.isNaN(x)) return scalar(x);
  throw new DTypeError(`${where}: operands must be tensors or numbers; got ${told(x)}. Make a tensor with tensor().`);
}

/** A gradient of the broadcast shape, summed back to the shape of the operand it belongs to. */
const back = (d: Tensor, x: Tensor): Tensor => (sameShape(d.shape, x.shape) ? d : sumTo(d, x.shape));

/** y = a + b, broadcasting. */
export function add(a: Operand, b: Operand): Tensor {
  const [u, v] = [lift('add', a), lift('add', b)];
  // da = dy, db = dy
  return record('add', pairwise('add', u, v), [u, v], (dy, [da, db]) => [da && back(dy, u), db && back(dy, v)]);
}

/** y = a - b, broadcasting. */
export function sub(a: Operand, b: Operand): Tensor {
  const [u, v] = [lift('sub', a), lift('sub', b)];
  // da = dy, db = -dy
  return record('sub', pairwise('sub', u, v), [u, v], (dy, [da, db]) => [da && back(dy, u), db && back(neg(dy), v)]);
}

/** y = a b, broadcasting. */
export function mul(a: Operand, b: Operand): Tensor {
  const [u, v] = [lift('mul', a), lift('mul', b)];
  // da = dy b, db = dy a
  return record('mul', pairwise('mul', u, v), [u, v], (dy, [da, db]) => [da && back(pairwise('mul', dy, v), u), db && back(pairwise('mul', dy, u), v)]);
}

/** y = a / b, broadcasting. */
export function div(a: Operand, b: Operand): Tensor {
  const [u, v] = [lift('div', a), lift('div', b)];
  const y = pairwise('div', u, v);
  // da = dy / b, db = -dy y / b
  return record('div', y, [u, v], (dy, [da, db]) => [
    da && back(pairwise('div', dy, v), u),
    db && back(neg(pairwise('div', pairwise('mul', dy, y), v)), v),
  ]);
}

/** y = 1 where a > b, else 0; no gradient. */
export const greater = (a: Operand, b: Operand): Tensor => pairwise('greater', lift('greater', a), lift('greater', b));

/** y = max(a, b), broadcasting, NaN where one is; where they are equal, or NaN, the gradient goes to b. */
export function maximum(a: Operand, b: Operand): Tensor {
  const [u, v] = [lift('maximum', a), lift('maximum', b)];
  return record('maximum', pairwise('maximum', u, v), [u, v], (dy, [da, db]) => {
    const ofA = pairwise('mul', dy, pairwise('greater', u, v));
    return [da && back(ofA, u), db && back(pairwise('sub', dy, ofA), v)];
  });
}
