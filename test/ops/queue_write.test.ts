import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { queueWrite } from '../../src/ops/queue_write.js';
import { zeros } from '../../src/tensor/fill.js';
import { tensor } from '../../src/tensor/tensor.js';
import { gpu, on, reference } from '../support/devices.js';

const sequences = fc.record({
  K: fc.constantFrom(1, 2, 3, 5, 7, 16, 33),
  D: fc.constantFrom(1, 3, 4, 17),
  batches: fc.array(fc.constantFrom(0, 1, 2, 3, 5, 8, 15, 40), { maxLength: 6 }),
});

/** What the queue and the pointer hold after batches of keys numbered 1, 2, 3, ... */
async function write(
  backend: typeof reference | Awaited<ReturnType<typeof gpu>>,
  { K, D, batches }: { K: number; D: number; batches: number[] },
) {
  let next = 1;
  const read = on(backend, () => {
    const [queue, pointer] = [zeros([K, D]), zeros([1], 'u32')];
    for (const N of batches)
      queueWrite(
        queue,
        tensor(
          Float32Array.from({ length: N * D }, () => next++),
          [N, D],
        ),
        pointer,
      );
    return [queue.data(), pointer.data()];
  });
  const [queue, pointer] = await Promise.all(read);
  return { queue: Array.from(queue), pointer: pointer[0] };
}

describe('queueWrite', () => {
  it('any sequence of batches equals a ring buffer in plain JavaScript', async () => {
    const device = await gpu();
    await fc.assert(
      fc.asyncProperty(sequences, async (c) => {
        const ring = Array.from({ length: c.K }, () => new Array<number>(c.D).fill(0));
        let [written, next] = [0, 1];
        for (const N of c.batches)
          for (let i = 0; i < N; i++) ring[written++ % c.K] = Array.from({ length: c.D }, () => next++);
        const want = { queue: ring.flat(), pointer: written % c.K };
        expect(await write(device, c)).toEqual(want);
        expect(await write(reference, c)).toEqual(want);
      }),
      { numRuns: 40 },
    );
  });

  it('of more than K keys the last K survive, where one key after another would have put them', async () => {
    expect(await write(await gpu(), { K: 3, D: 1, batches: [1, 7] })).toEqual({ queue: [7, 8, 6], pointer: 2 });
  });

  it('writes nothing and stays where it is where the guard is 0', async () => {
    for (const backend of [reference, await gpu()]) {
      const read = on(backend, () => {
        const [queue, pointer] = [zeros([3, 2]), zeros([1], 'u32')];
        for (const [key, guard] of [
          [1, 0.5],
          [NaN, 0],
          [2, 2 ** -32],
        ])
          queueWrite(queue, tensor([key, key], [1, 2]), pointer, tensor([guard]));
        return [queue.data(), pointer.data()];
      });
      expect((await Promise.all(read)).map((v) => [...v])).toEqual([[1, 1, 2, 2, 0, 0], [2]]);
    }
  });

  it('names the shapes that do not fit', async () => {
    on(await gpu(), () => {
      const pointer = zeros([1], 'u32');
      expect(() => queueWrite(zeros([4, 3]), zeros([2, 2]), pointer)).toThrow('got [4, 3] and [2, 2]');
      expect(() => queueWrite(zeros([0, 3]), zeros([2, 3]), pointer)).toThrow(
        'queueWrite: the queue must be [K, D] with K above 0',
      );
      expect(() => queueWrite(zeros([4, 3]), zeros([2, 3]), zeros([2], 'u32'))).toThrow(
        'the pointer must have one element; got [2]',
      );
      expect(() => queueWrite(zeros([4, 3]), zeros([2, 3]), zeros([1]))).toThrow('must be u32');
      expect(() => queueWrite(zeros([4, 3]), zeros([2, 3]), pointer, zeros([2]))).toThrow(
        'queueWrite: the guard must have one element; got [2]',
      );
    });
  });
});
