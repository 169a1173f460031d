import { copyInto } from '../tensor/accumulate.js';
import { zeros } from '../tensor/fill.js';
import { state, type Tensor, view } from '../tensor/tensor.js';

/** Parts of a buffer start at multiples of 256 bytes. */
const ALIGN = 64;

/** Elements that a tensor takes in a buffer with others. */
export const room = ({ size }: Tensor): number => Math.ceil(size / ALIGN) * ALIGN;

/**
 * Moves tensors into one f32 buffer, with zeros between them, so that what is done to all is one dispatch. Returns it.
 */
export function together(tensors: readonly Tensor[]): Tensor {
  const all = state(zeros([tensors.reduce((length, x) => length + room(x), 0)]));
  let start = 0;
  for (const x of tensors) {
    x.moveTo(view(all, x.shape, start), copyInto);
    start += room(x);
  }
  all.storage.written = 0; // what was read before it moved has the same values
  return all;
}
