import { ShapeError } from '../core/errors.js';
import { sameShape, show } from '../core/shape.js';
import { floatType, type Tensor } from '../tensor/tensor.js';
import { mul, sub } from './binary.js';
import { mean } from './reduce.js';

/**
 * The mean of (x - target)², as torch's mse_loss. Composed of other operations.
 *
 * @param x of any shape, and `target` of the same.
 * @returns a scalar
 */
export function mse(x: Tensor, target: Tensor): Tensor {
  floatType('mse', x);
  floatType('mse', target);
  if (!sameShape(x.shape, target.shape))
    throw new ShapeError(
      `mse: both tensors must have one shape; got ${show(x.shape)} and ${show(target.shape)}. Reshape one.`,
    );
  const error = sub(x, target);
  return mean(mul(error, error));
}
