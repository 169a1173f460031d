import { afterEach, describe, expect, it, vi } from 'vitest';
import { copyPrimitive, fastest, fmaPrimitive } from '../../src/backend/ceiling.js';
import { run } from '../../src/tensor/run.js';
import { empty, tensor } from '../../src/tensor/tensor.js';
import { gpu, on, reference } from '../support/devices.js';

/** Outputs on the GPU and by the mirrors ceilingCopy and ceilingFma, of the same numbers. */
async function both<P extends object>(
  primitive: Parameters<typeof run<P>>[0],
  x: Float32Array,
  length: number,
  params: P,
): Promise<number[][]> {
  const one = (device: Parameters<typeof on>[0]) =>
    on(device, () => {
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

describe('a measurement waits for the clocks of an idle card', () => {
  afterEach(() => void vi.restoreAllMocks());

  /** Milliseconds of `fastest` where a round takes `cost(t)` of them at time t, and when it ended. */
  async function measured(
    cost: (t: number) => number,
    patience = { rounds: 8, still: 300, most: 3000 },
  ): Promise<{ least: number; end: number }> {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const least = await fastest(async () => void (now += cost(now)), patience);
    return { least, end: now };
  }

  it('through a ramp, and through steps of one', async () => {
    const ramp = (t: number) => (t < 900 ? 50 - t / 20 : 5);
    expect((await measured(ramp)).least).toBeCloseTo(5, 9);
    const creeping = (t: number) => 5 + 0.5 * 0.999 ** t; // by less a round than is noise
    expect((await measured(creeping)).least).toBeLessThan(5.15);
    const steps = (t: number) => (t < 250 ? 20 : t < 500 ? 10 : 4);
    const { least, end } = await measured(steps);
    expect(least).toBe(4);
    expect(end).toBeLessThan(500 + 300 + 40);
  });

  it('takes the best where rounds differ, and ends though it rises for ever', async () => {
    let n = 0;
    expect((await measured(() => [6, 5, 9, 5, 30][n++ % 5])).least).toBe(5);
    const { end } = await measured((t) => 1000 / (10 + t));
    expect(end).toBeLessThan(3000 + 2 * 100);
  });

  it('on software, which has no such clocks, ends after a few rounds alike', async () => {
    expect((await measured(() => 100, { rounds: 4, still: 0, most: 2000 })).end).toBe(600);
  });
});
