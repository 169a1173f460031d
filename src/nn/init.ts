import { backend } from '../backend/backend.js';
import { ShapesBackend } from '../backend/shapes.js';
import type { Rng } from '../core/rng.js';
import { checkShape, numel, type Shape } from '../core/shape.js';
import { empty, parameter, state, type Tensor, tensor } from '../tensor/tensor.js';

/** A parameter of values drawn one after the other. */
function drawn(shape: Shape, draw: () => number): Tensor {
  checkShape('parameter', shape);
  if (backend() instanceof ShapesBackend) return parameter(empty(shape)); // a model of 86 million values takes a while to draw
  const values = new Float32Array(numel(shape));
  for (let i = 0; i < values.length; i++) values[i] = draw();
  return parameter(tensor(values, shape));
}

/** Normal with mean 0. */
export const normal = (rng: Rng, shape: Shape, std: number): Tensor => drawn(shape, () => std * rng.normal());

/** Uniform in ±bound. */
export const uniform = (rng: Rng, shape: Shape, bound: number): Tensor => drawn(shape, () => rng.uniform(-bound, bound));

/** A parameter of one value. */
export const constant = (shape: Shape, value: number): Tensor => drawn(shape, () => value);

/** A buffer of one value: state without gradients. */
export function buffer(shape: Shape, value: number): Tensor {
  checkShape('buffer', shape);
  return state(tensor(new Float32Array(numel(shape)).fill(value), shape));
}
