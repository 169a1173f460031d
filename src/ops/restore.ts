import source from '../../kernels/restore.wgsl';
import type { Primitive } from '../backend/backend.js';
import { elementsLaunch } from '../backend/elements.js';
import { widths } from '../gpu/widths.js';
import { run } from '../tensor/run.js';
import { checkDType, checkSameShape, type Tensor } from '../tensor/tensor.js';
import { checkGuard, type Guard } from './update.js';

const kernels = widths('restore', source);

const primitive: Primitive<{ length: number }> = {
  name: 'restore',
  gpu: ({ length }) => elementsLaunch(kernels, length),
};

/**
 * Gives `state` the values in `saved` where the guard is 0, in place and without gradients: what a skipped step has
 * changed is as it was before, to the bit.
 *
 * @param state f32; `saved` f32 of the same shape, in other memory.
 */
export function restore(state: Tensor, saved: Tensor, guard: Guard): void {
  for (const x of [state, saved]) checkDType('restore', x, 'f32');
  checkSameShape('restore', 'the saved values', saved, state.shape);
  checkDType('restore', guard, 'f32');
  checkGuard('restore', guard);
  run(primitive, [saved, guard], [state], { length: state.size });
}
