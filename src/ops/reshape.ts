import { shown } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { checkShape, numel, type Shape, show } from '../core/shape.js';
import { record } from '../tensor/autograd.js';
import { checkTensor, type Tensor, view } from '../tensor/tensor.js';

/** The same values in the same order under another shape; one size may be -1 and is worked out. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  checkTensor('reshape', x);
  if (!Array.isArray(shape) || shape.filter((d) => d === -1).length > 1)
    throw new ShapeError(
      `reshape: the shape must be a list of sizes, one -1 at most; got ${shown(shape)}. Write it as [2, 3].`,
    );
  const known = numel(shape.filter((d) => d !== -1));
  const to = shape.map((d) => (d === -1 ? x.size / known : d));
  checkShape('reshape', to);
  if (numel(to) !== x.size)
    throw new ShapeError(
      `reshape: the number of elements must stay; got ${show(x.shape)} to ${show(shape)}. Correct the shape.`,
    );
  return record('reshape', view(x, to), [x], (dy) => [view(dy, x.shape)]);
}
