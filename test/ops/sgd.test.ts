import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add } from '../../src/ops/binary.js';
import { sgd } from '../../src/ops/sgd.js';
import { concat } from '../../src/ops/strided.js';
import { zeros } from '../../src/tensor/fill.js';
import { tensor } from '../../src/tensor/tensor.js';
import { gpu, on } from '../support/devices.js';
import { assertClose, checkOp } from '../support/op.js';

const lengths = fc.constantFrom(0, 1, 2, 3, 5, 63, 64, 65, 191, 192, 255, 256, 257, 511, 513, 1025);

describe('sgd', () => {
  it('GPU = mirror, parameters and velocity', () =>
    checkOp(
      fc.record({
        length: lengths,
        momentum: fc.constantFrom(0, 0.5, 0.9),
        weightDecay: fc.constantFrom(0, 1e-4, 0.1),
        nesterov: fc.boolean(),
      }),
      ({ length, momentum, weightDecay, nesterov }) => ({
        inputs: [{ shape: [length] }, { shape: [length] }, { shape: [length] }, { shape: [1], values: () => 0.03 }],
        f: (w0, dw, v0, lr) => {
          const [w, v] = [add(w0, 0), add(v0, 0)];
          sgd(w, dw, v, lr, { momentum, weightDecay, nesterov: nesterov && momentum > 0 });
          return concat([w, v]);
        },
      }),
      { gradient: false },
    ));

  /** Two steps on w = 1, dw = 2 then 1, with lr 0.1 then 0.2, momentum 0.5, weight decay 0.5. */
  const twoSteps = async (nesterov: boolean) => {
    const read = on(await gpu(), () => {
      const [w, v] = [tensor([1]), zeros([1])];
      const options = { momentum: 0.5, weightDecay: 0.5, nesterov };
      sgd(w, tensor([2]), v, tensor([0.1]), options);
      sgd(w, tensor([1]), v, tensor([0.2]), options);
      return [w.data(), v.data()];
    });
    return (await Promise.all(read)).map((x) => x[0]);
  };

  it('equals two steps worked out by hand', async () => {
    // g = 2.5, v = 2.5, w = 0.75;  g = 1.375, v = 2.625, w = 0.225
    assertClose('w, v', await twoSteps(false), [0.225, 2.625]);
  });

  it('equals two Nesterov steps worked out by hand', async () => {
    // g = 2.5, v = 2.5, w = 1 - 0.1 (2.5 + 1.25) = 0.625;  g = 1.3125, v = 2.5625, w = 0.625 - 0.2 (1.3125 + 1.28125) =
    // 0.10625
    assertClose('w, v', await twoSteps(true), [0.10625, 2.5625]);
  });

  it('names what does not fit', async () => {
    on(await gpu(), () => {
      const [one, two] = [tensor([1]), tensor([1, 2])];
      const options = { momentum: 0.9, weightDecay: 0 };
      expect(() => sgd(two, one, two, one, options)).toThrow('sgd: the gradient must have shape [2]; got [1]');
      expect(() => sgd(one, one, one, two, options)).toThrow('sgd: lr must have one element; got [2]');
      expect(() => sgd(one, one, one, one, { momentum: -1, weightDecay: 0 })).toThrow(
        'sgd: momentum must be a number, at least 0; got -1',
      );
      expect(() => sgd(one, one, one, one, { momentum: 0, weightDecay: 0, nesterov: true })).toThrow(
        'sgd: momentum must be above 0 for Nesterov',
      );
    });
  });
});
