import source from '../../kernels/accumulate.wgsl';
import type { Primitive } from '../backend/backend.js';
import { elementsLaunch } from '../backend/elements.js';
import type { FloatType } from '../core/dtype.js';
import { widths } from '../gpu/widths.js';
import { run } from './run.js';
import { empty, type Tensor } from './tensor.js';

const kernels = widths('accumulate', source);

const primitive: Primitive<{ length: number; add: boolean }> = {
  name: 'accumulate',
  gpu: ({ length, add }) => elementsLaunch(kernels, length, {}, { ADD: Number(add) }),
};

/** into += x, in place. Same number of elements; no gradient is recorded. */
export const accumulate = (into: Tensor, x: Tensor): void => run(primitive, [x], [into], { length: x.size, add: true });

/** into = x, in place. */
export const copyInto = (into: Tensor, x: Tensor): void => run(primitive, [x], [into], { length: x.size, add: false });

/** x, f32 or f16, as another of both; no gradient is recorded. */
export function rounded(x: Tensor, dtype: FloatType): Tensor {
  if (x.dtype === dtype) return x;
  const y = empty(x.shape, dtype, x.backend);
  copyInto(y, x);
  return y;
}
