import source from '../../kernels/where.wgsl';
import type { Primitive } from '../backend/backend.js';
import { elementsLaunch } from '../backend/elements.js';
import { broadcastShapes } from '../core/shape.js';
import { widths } from '../gpu/widths.js';
import { record } from '../tensor/autograd.js';
import { zeros } from '../tensor/fill.js';
import { runTo } from '../tensor/run.js';
import { empty, floatType, type Tensor } from '../tensor/tensor.js';
import { expand } from './strided.js';

const kernels = widths('where', source);

const primitive: Primitive<{ length: number }> = {
  name: 'where',
  gpu: ({ length }) => elementsLaunch(kernels, length),
};

/**
 * y = a where the condition is not 0, else b, broadcasting. What is not picked gets no gradient, be it infinite or NaN.
 */
export function where(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  for (const x of [condition, a, b]) floatType('where', x);
  const shape = broadcastShapes('where', broadcastShapes('where', condition.shape, a.shape), b.shape);
  return pick(expand(condition.detach(), shape), expand(a, shape), expand(b, shape));
}

/** The same for equal shapes. */
function pick(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  const dtype = a.dtype === 'f16' ? 'f16' : b.dtype;
  const y = runTo(empty(a.shape, dtype, a.backend), primitive, [condition, a, b], { length: a.size });
  // da = dy where the condition holds, db = dy elsewhere
  return record('where', y, [a, b], (dy, [da, db]) => {
    const none = zeros(dy.shape, dy.dtype);
    return [da && pick(condition, dy, none), db && pick(condition, none, dy)];
  });
}
