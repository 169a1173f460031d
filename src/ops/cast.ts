import source from '../../kernels/cast.wgsl';
import type { Primitive } from '../backend/backend.js';
import { elementGroups } from '../backend/elements.js';
import { checkDTypeName, type DType, type FloatType } from '../core/dtype.js';
import { DTypeError } from '../core/errors.js';
import { kernel } from '../gpu/kernel.js';
import { rounded } from '../tensor/accumulate.js';
import { record } from '../tensor/autograd.js';
import { runTo } from '../tensor/run.js';
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js';

const shader = kernel('cast', source);
const codes: readonly DType[] = ['f32', 'i32', 'u32', 'u8'];

const primitive: Primitive<{ from: DType; to: DType; length: number }> = {
  name: 'cast',
  gpu: ({ from, to, length }) => ({
    kernel: shader,
    constants: { FROM: codes.indexOf(from), TO: codes.indexOf(to) },
    params: { length },
    groups: elementGroups(length),
  }),
};

/**
 * x as another element type; fractions are dropped towards zero, NaN is the integer 0, f16 is the nearest half.
 * Gradients flow between f32 and f16.
 */
export function cast(x: Tensor, to: Exclude<DType, 'u8'>): Tensor {
  checkTensor('cast', x);
  checkDTypeName('cast', to);
  if ((to as DType) === 'u8')
    throw new DTypeError(
      'cast: the dtype must not be u8, which is storage for pictures and only read; got u8. ' +
        'Make the tensor from a Uint8Array.',
    );
  if (x.dtype === to) return x;
  const floats = [x.dtype, to].filter((d) => d === 'f32' || d === 'f16') as FloatType[];
  // dx = dy as x's type
  if (floats.length === 2) return record('cast', rounded(x, floats[1]), [x], (dy) => [rounded(dy, floats[0])]);
  if (floats.includes('f16')) return cast(cast(x, 'f32'), to);
  return runTo(empty(x.shape, to, x.backend), primitive, [x], { from: x.dtype, to, length: x.size });
}
