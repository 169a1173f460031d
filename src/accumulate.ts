import source from '../kernels/accumulate.wgsl';
import type { Primitive } from './backend/backend.js';
import { kernel } from './gpu/kernel.js';
import { accumulate as mirror } from './reference/accumulate.js';
import { run, type Tensor } from './tensor.js';

const shader = kernel('accumulate', source);

const primitive: Primitive<{ length: number; add: boolean }> = {
  name: 'accumulate',
  mirror,
  gpu: ({ length, add }) => ({ kernel: shader, constants: { ADD: add ? 1 : 0 }, params: { length }, groups: Math.ceil(length / 64) }),
};

/** into += x, in place. Same number of elements; no gradient is recorded. */
export const accumulate = (into: Tensor, x: Tensor): void => run(primitive, [x], [into], { length: x.size, add: true });

/** into = x, in place. */
export const copyInto = (into: Tensor, x: Tensor): void => run(primitive, [x], [into], { length: x.size, add: false });
