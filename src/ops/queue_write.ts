import advanceSource from '../../kernels/queue_advance.wgsl';
import source from '../../kernels/queue_write.wgsl';
import type { Primitive } from '../backend/backend.js';
import { ShapeError } from '../core/errors.js';
import { show } from '../core/shape.js';
import { kernel } from '../gpu/kernel.js';
import type { QueueWriteParams } from '../reference/queue_write.js';
import { run } from '../tensor/run.js';
import { checkDType, type Tensor } from '../tensor/tensor.js';
import { checkGuard, type Guard } from './update.js';

const shader = kernel('queue_write', source);
const advance = kernel('queue_advance', advanceSource);

/** [keys, guard] -> [queue, pointer] */
const primitive: Primitive<QueueWriteParams> = {
  name: 'queue_write',
  gpu: ({ N, K, D, guarded }) => {
    const survivors = Math.min(N, K);
    const constants = { GUARDED: Number(guarded) };
    const write = {
      kernel: shader,
      constants,
      params: { N, K, D, first: N - survivors },
      groups: Math.ceil((survivors * D) / 64),
      bind: [0, 3, 1, 2],
    };
    return {
      scratch: [],
      launches: [write, { kernel: advance, constants, params: { N, K }, groups: 1, bind: [1, 3] }],
    };
  },
};

/**
 * Replaces the oldest keys of a queue, in place and without gradients (MoCo, He et al. 2020, algorithm 1):
 * queue[(pointer + i) mod K] = keys[i], then pointer = (pointer + N) mod K. K need not be a multiple of N;
 * of more than K keys the last K survive.
 *
 * @param queue f32 [K, D].
 * @param keys f32 [N, D].
 * @param pointer u32 [1], where the next key goes. It moves on the device.
 * @param guard where it is 0, the step was skipped and nothing is written.
 */
export function queueWrite(queue: Tensor, keys: Tensor, pointer: Tensor<'u32'>, guard?: Guard): void {
  checkDType('queueWrite', queue, 'f32');
  checkDType('queueWrite', keys, 'f32');
  checkDType('queueWrite', pointer, 'u32');
  if (queue.rank !== 2 || keys.rank !== 2 || queue.shape[1] !== keys.shape[1] || queue.shape[0] === 0)
    throw new ShapeError(
      'queueWrite: the queue must be [K, D] with K above 0 and the keys [N, D]; ' +
        `got ${show(queue.shape)} and ${show(keys.shape)}. Reshape or rebuild one.`,
    );
  if (pointer.size !== 1)
    throw new ShapeError(
      `queueWrite: the pointer must have one element; got ${show(pointer.shape)}. Pass tensor(new Uint32Array(1)).`,
    );
  checkGuard('queueWrite', guard);
  run(primitive, [keys, guard ?? keys], [queue, pointer], {
    N: keys.shape[0],
    K: queue.shape[0],
    D: queue.shape[1],
    guarded: guard !== undefined,
  });
}
