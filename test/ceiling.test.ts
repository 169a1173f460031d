import { describe, expect, it } from 'vitest';
import { copyPrimitive, fmaPrimitive } from '../src/backend/ceiling.js';
import { run, tensor, empty } from '../src/tensor.js';
import { gpu, on, reference } from './support/devices.js';

/** Outputs on the GPU and by the mirrors ceilingCopy and ceilingFma, of the same numbers. */
async function both<P extends object>(primitive: Parameters<typeof run<P>>[0], x: Float32Array, length: number, params: P): Promise<number[][]> {
  const one = (device: Parameters<typeof on>[0]) => on(device, () => {
    const y = empty([length]);
    run(primitive, [tensor(x)], [y], params);
    return y.data();
  });
  return Promise.all([await gpu(), reference].map(async (device) => Array.from(await one(device))));
}

const numbers = (length: number) => Float32Array.from({ length }, (_, i) => ((i * 37) % 101) / 101);

describe('ceiling', () => {
  it.each([false, true])('the copy kernel copies all, apart: %s', async (apart) => {
    const x = numbers(4 * 256 * 2 * 3);
    const [a, b] = await both(copyPrimitive, x, x.length, { groups: 2, each: 3, apart });
    expect(a).toEqual(b);
    expect(a).toEqual(Array.from(x));
  });

  it('the arithmetic kernel does every multiplication and addition it is counted for', async () => {
    const [a, b] = await both(fmaPrimitive, numbers(4 * 76), 4 * 64 * 2, { groups: 2, each: 5 });
    a.forEach((v, i) => expect(Math.abs(v - b[i])).toBeLessThan(1e-5 * Math.abs(b[i]) + 1e-5));
  });
});
