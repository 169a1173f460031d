import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LayerNorm } from '../../src/nn/layer-norm.js';
import { add, mul } from '../../src/ops/binary.js';
import { layerNorm } from '../../src/ops/layer_norm.js';
import { ones } from '../../src/tensor/fill.js';
import { tensor } from '../../src/tensor/tensor.js';
import { gpu, on } from '../support/devices.js';
import { assertClose, checkOp, uglySize } from '../support/op.js';

/** Values that differ from their neighbours, so that no row has a variance near 0, where gradients are steep. */
const spread = (r: { normal(): number }, i: number) => r.normal() + 2 * (i % 2);
const shapes = fc.tuple(fc.array(uglySize, { maxLength: 2 }), fc.constantFrom(2, 3, 4, 5, 8, 17, 64, 127, 132));

describe('layer norm', () => {
  it.each([false, true])('GPU = mirror, gradients; threads that share a row: %s', (hardware) =>
    checkOp(
      shapes,
      ([lead, C]) => ({
        inputs: [{ shape: [...lead, C], values: spread }, { shape: [C] }, { shape: [C] }],
        f: (x, gamma, beta) => layerNorm(x, gamma, beta, { eps: 1e-3 }),
      }),
      { hardware },
    ),
  );

  it.each([false, true])('many rows, and parameters that want no gradient: GPU = mirror; on a card: %s', (hardware) =>
    checkOp(
      fc.tuple(fc.constantFrom(511, 1300, 5000), fc.constantFrom(2, 12), fc.boolean(), fc.boolean()),
      ([rows, C, ofGamma, ofBeta]) => ({
        inputs: [
          { shape: [rows, C], values: spread },
          { shape: [C], grad: ofGamma },
          { shape: [C], grad: ofBeta },
        ],
        f: (x, gamma, beta) => layerNorm(x, gamma, beta, { eps: 1e-3 }),
      }),
      { hardware },
      8,
    ),
  );

  it('equals a row worked out by hand', async () => {
    // mean 4, variance 4: (x - 4) / 2 · gamma + beta
    const y = await on(await gpu(), () =>
      layerNorm(tensor([2, 6, 2, 6], [1, 4]), tensor([1, 2, 3, 4]), tensor([0, 0, 1, 1]), { eps: 0 }).data(),
    );
    assertClose('y', y, [-1, 2, -2, 5]);
  });

  it('a shift of a row changes nothing, be it a thousand times as large as what differs', async () => {
    const [a, b] = on(await gpu(), () => {
      const x = tensor(
        Array.from({ length: 96 }, (_, i) => ((i * 37) % 64) / 64),
        [1, 96],
      );
      const plain = (t: typeof x) => layerNorm(t, ones([96]), tensor(new Float32Array(96)));
      return [plain(x).data(), plain(add(x, 1024)).data()];
    });
    // 1024 + x keeps 13 bits of x: 6e-5 of a deviation of 0.3
    assertClose('shifted', await b, await a, { relative: 2e-4 });
  });

  it('does not see the scale of a row; a constant row becomes beta', async () => {
    const [a, b, constant] = on(await gpu(), () => {
      const layer = new LayerNorm(3, { eps: 0 });
      const x = tensor([1, -2, 3, 4, 5, -6], [2, 3]);
      return [
        layer.call(x).data(),
        layer.call(mul(x, 17)).data(),
        layerNorm(ones([1, 3]), ones([3]), tensor([1, 2, 3])).data(),
      ];
    });
    assertClose('scaled', await b, await a);
    assertClose('constant', await constant, [1, 2, 3]);
  });

  it("is a module with PyTorch's names", async () => {
    on(await gpu(), () =>
      expect([...new LayerNorm(5).parameters()].map(([name, t]) => [name, ...t.shape])).toEqual([
        ['weight', 5],
        ['bias', 5],
      ]),
    );
  });

  it('names what does not fit', async () => {
    on(await gpu(), () => {
      expect(() => layerNorm(ones([]), ones([1]), ones([1]))).toThrow(
        'layerNorm: rows must lie along a last axis; got []. Reshape it to [1].',
      );
      expect(() => layerNorm(ones([2, 3]), ones([2]), ones([3]))).toThrow(
        'layerNorm: gamma must have shape [3]; got [2]',
      );
      expect(() => layerNorm(ones([2, 3]), ones([3]), ones([4]))).toThrow(
        'layerNorm: beta must have shape [3]; got [4]',
      );
    });
  });
});
