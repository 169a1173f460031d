import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.js';
import { avgPool, globalAvgPool } from '../../src/ops/avg_pool.js';
import { add, mul } from '../../src/ops/binary.js';
import { sum } from '../../src/ops/reduce.js';
import { backward } from '../../src/tensor/autograd.js';
import { ones } from '../../src/tensor/fill.js';
import { parameter, tensor } from '../../src/tensor/tensor.js';
import { gpu, on } from '../support/devices.js';
import { assertClose, checkOp } from '../support/op.js';
import { poolings } from '../support/poolings.js';

const normal = (length: number, seed: number) => {
  const r = new Rng(seed);
  return Array.from({ length }, () => r.normal());
};

describe('average pool', () => {
  it.each([true, false])('padding counted: %s: GPU = mirror, gradients', (countIncludePad) =>
    checkOp(poolings, ({ shape, options }) => ({
      inputs: [{ shape }],
      f: (x) => avgPool(x, { ...options, countIncludePad }),
    })),
  );

  it('global: GPU = mirror, gradients', () =>
    checkOp(
      fc.constantFrom([2, 3, 5, 7], [1, 1, 1, 1], [3, 8, 8, 4], [0, 2, 2, 3]),
      (shape) => ({ inputs: [{ shape }], f: globalAvgPool }),
      {},
      4,
    ));

  it('a window as large as the picture is the global average', async () => {
    const [whole, all] = on(await gpu(), () => {
      const x = tensor(normal(2 * 3 * 5 * 4, 1), [2, 3, 5, 4]);
      return [avgPool(x, { kernel: [3, 5] }).data(), globalAvgPool(x).data()];
    });
    assertClose('global', await whole, await all, { relative: 1e-6 });
  });

  it('is linear, and its gradient is its adjoint: ⟨pool(x), y⟩ = ⟨x, poolᵀ(y)⟩', async () => {
    const shape = [2, 7, 5, 3];
    const options = { kernel: 3, stride: 2, padding: 1 };
    const [lhs, rhs, left, right] = await on(await gpu(), () => {
      const [a, b] = [tensor(normal(210, 1), shape), tensor(normal(210, 2), shape)];
      const x = parameter(tensor(normal(210, 3), shape));
      const pooled = avgPool(x, options);
      const left = sum(mul(pooled, tensor(normal(pooled.size, 4), pooled.shape)));
      backward(left);
      return Promise.all(
        [
          avgPool(add(mul(a, 3), b), options),
          add(mul(avgPool(a, options), 3), avgPool(b, options)),
          left,
          sum(mul(x.detach(), x.grad!)),
        ].map((t) => t.data()),
      );
    });
    assertClose('linear', lhs, rhs);
    assertClose('adjoint', left, right, { absolute: 1e-5 });
  });

  it('counts padding as torch does', async () => {
    const [counted, left] = on(await gpu(), () =>
      [true, false].map((countIncludePad) =>
        avgPool(ones([1, 2, 2, 1]), { kernel: 2, stride: 2, padding: 1, countIncludePad }).data(),
      ),
    );
    expect(Array.from(await counted)).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(Array.from(await left)).toEqual([1, 1, 1, 1]);
  });

  it('names what does not fit', async () => {
    on(await gpu(), () => {
      expect(() => avgPool(ones([1, 2, 2, 1]), { kernel: 3 })).toThrow(
        'avgPool: the window must fit into the padded picture; got x [1, 2, 2, 1], kernel [3, 3]',
      );
      expect(() => globalAvgPool(ones([1, 0, 2, 1]))).toThrow(
        'globalAvgPool: x must be [N, H, W, C], with a pixel at least; got [1, 0, 2, 1]',
      );
    });
  });
});
