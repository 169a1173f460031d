import { describe, expect, it } from 'vitest';
import { compile } from '../src/compile/compile.js';
import { add, mul } from '../src/ops/binary.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { gpu, on } from './support/devices.js';

/**
 * Known bugs, as expected failures: one that is mended turns red here, and moves to the tests of what it belonged to.
 */
describe('known issues', () => {
  it.fails('a compiled function notices a branch on the host that first differs once it is trusted', async () => {
    const device = await gpu();
    let call = 0;
    const twice = compile((x: Tensor) => (call++ === 5 ? add(x, 1) : mul(x, 2)));
    const results: number[] = [];
    for (let i = 0; i < 6; i++) results.push(await on(device, () => twice(Float32Array.of(3)).item()));
    expect(results).toEqual([6, 6, 6, 6, 6, 4]);
  });
});
