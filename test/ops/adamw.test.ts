import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AdamWOptions, type AdamWState, adamw } from '../../src/ops/adamw.js';
import { add } from '../../src/ops/binary.js';
import { concat } from '../../src/ops/strided.js';
import { zeros } from '../../src/tensor/fill.js';
import { tensor } from '../../src/tensor/tensor.js';
import { gpu, on } from '../support/devices.js';
import { assertClose, checkOp } from '../support/op.js';

const lengths = fc.constantFrom(0, 1, 2, 3, 5, 64, 65, 255, 256, 257, 1024, 1025, 4100);
const fresh = (length: number): AdamWState => ({ m: zeros([length]), v: zeros([length]), corrections: zeros([2]) });

describe('adamw', () => {
  it('GPU = mirror, three steps: parameters, moments and corrections', () =>
    checkOp(
      fc.record({
        length: lengths,
        weightDecay: fc.constantFrom(0, 0.1),
        beta1: fc.constantFrom(0, 0.9),
        beta2: fc.constantFrom(0.95, 0.999),
      }),
      ({ length, weightDecay, beta1, beta2 }) => ({
        inputs: [
          { shape: [length] },
          { shape: [length], values: (r) => r.normal() + 6 },
          { shape: [1], values: () => 0.01 },
        ],
        f: (w0, dw, lr) => {
          const [w, moments] = [add(w0, 0), fresh(length)];
          for (const shift of [0, 1, -2]) adamw(w, add(dw, shift), moments, lr, { weightDecay, betas: [beta1, beta2] });
          return concat([w, moments.m, moments.v, moments.corrections]);
        },
      }),
      { gradient: false },
    ));

  /** Adam as its authors write it, with weight decay apart: moments, then their unbiased values. */
  function byHand(
    w: number[],
    grads: number[][],
    rates: number[],
    { weightDecay, betas: [b1, b2] = [0.9, 0.999], eps = 1e-8 }: AdamWOptions,
  ) {
    const [m, v] = [w.map(() => 0), w.map(() => 0)];
    grads.forEach((g, t) =>
      w.forEach((_, i) => {
        m[i] = b1 * m[i] + (1 - b1) * g[i];
        v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
        const [mHat, vHat] = [m[i] / (1 - b1 ** (t + 1)), v[i] / (1 - b2 ** (t + 1))];
        w[i] = w[i] - rates[t] * weightDecay * w[i] - (rates[t] * mHat) / (Math.sqrt(vHat) + eps);
      }),
    );
    return { w, m, v };
  }

  it.each([1, 2, 7, 300])('equals %i steps of a loop written by hand', async (steps) => {
    const options = { weightDecay: 0.1 };
    const start = [1, -2, 0.5, 0, 3e-4];
    const grads = Array.from({ length: steps }, (_, t) => [0.3, Math.sin(t), t === 0 ? 5 : -0.01, 0, 1e-6 * (t + 1)]);
    const rates = grads.map((_, t) => 1e-2 / (t + 1));
    const read = on(await gpu(), () => {
      const [w, moments] = [tensor(start), fresh(start.length)];
      grads.forEach((g, t) => adamw(w, tensor(g), moments, tensor([rates[t]]), options));
      return [w, moments.m, moments.v, moments.corrections].map((x) => x.data());
    });
    const want = byHand([...start], grads, rates, options);
    const [w, m, v, corrections] = await Promise.all(read);
    assertClose('w', w, want.w, { relative: 1e-6 });
    assertClose('m', m, want.m, { relative: 1e-6 });
    assertClose('v', v, want.v, { relative: 1e-5 });
    assertClose('corrections', corrections, [1 - 0.9 ** steps, 1 - 0.999 ** steps], { relative: 1e-6, absolute: 0 });
  });

  it('the first step moves every parameter by lr against the sign of its gradient', async () => {
    const w = await on(await gpu(), () => {
      const w = zeros([4]);
      adamw(w, tensor([1e-3, -1e3, 7, 0]), fresh(4), tensor([0.25]), { weightDecay: 0 });
      return w.data();
    });
    assertClose('w', w, [-0.25, 0.25, -0.25, 0], { relative: 1e-4 }); // eps is 1e-5 of the smallest
  });

  it('names what does not fit', async () => {
    on(await gpu(), () => {
      const [one, two] = [tensor([1]), tensor([1, 2])];
      expect(() => adamw(two, one, fresh(2), one, { weightDecay: 0 })).toThrow(
        'adamw: the gradient must have shape [2]; got [1]',
      );
      expect(() => adamw(one, one, fresh(2), one, { weightDecay: 0 })).toThrow(
        'adamw: the mean of the gradient must have shape [1]; got [2]',
      );
      expect(() => adamw(one, one, { ...fresh(1), corrections: one }, one, { weightDecay: 0 })).toThrow(
        'adamw: corrections must have shape [2]; got [1]',
      );
      expect(() => adamw(one, one, fresh(1), one, { weightDecay: 0, betas: [0.9, 1] })).toThrow(
        'adamw: betas must be a list of 2, each a number in [0, 1); got [0.9, 1]',
      );
    });
  });
});
