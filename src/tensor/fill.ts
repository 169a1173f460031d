import source from '../../kernels/fill.wgsl';
import type { Primitive } from '../backend/backend.js';
import { elementsLaunch } from '../backend/elements.js';
import { arrayOf, bytesOf, checkDTypeName, checkValues, type DType } from '../core/dtype.js';
import { toHalf } from '../core/half.js';
import { checkShape, numel, type Shape } from '../core/shape.js';
import { widths } from '../gpu/widths.js';
import { runTo } from './run.js';
import { empty, type Tensor } from './tensor.js';

const kernels = widths('fill', source);

const primitive: Primitive<{ value: number; dtype: DType; length: number }> = {
  name: 'fill',
  gpu: ({ value, dtype, length }) => {
    const bits =
      dtype === 'f16'
        ? 0x10001 * toHalf(value)
        : new Uint32Array(arrayOf(dtype, 4 / bytesOf(dtype)).fill(value).buffer)[0];
    return { ...elementsLaunch(kernels, Math.ceil((length * bytesOf(dtype)) / 4), { bits }), words: true };
  },
};

function filled(where: string, shape: Shape, value: number, dtype: DType = 'f32'): Tensor {
  checkShape(where, shape);
  checkDTypeName(where, dtype);
  checkValues(where, [value], dtype);
  return runTo(empty(shape, dtype), primitive, [], { value, dtype, length: numel(shape) });
}

/** A tensor whose every value is `value`, filled on the device. */
export const full = (shape: Shape, value: number, dtype?: DType): Tensor => filled('full', shape, value, dtype);

/** A tensor of zeros. */
export const zeros = (shape: Shape, dtype?: DType): Tensor => filled('zeros', shape, 0, dtype);

/** A tensor of ones. */
export const ones = (shape: Shape, dtype?: DType): Tensor => filled('ones', shape, 1, dtype);

/** A one-element tensor of shape []. */
export const scalar = (value: number, dtype?: DType): Tensor => filled('scalar', [], value, dtype);
