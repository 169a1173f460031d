import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.js';
import { Linear } from '../../src/nn/linear.js';
import { mul, sub } from '../../src/ops/binary.js';
import { mean } from '../../src/ops/reduce.js';
import { AdamW } from '../../src/optim/adamw.js';
import { FlatParameters } from '../../src/optim/flat.js';
import { LARS } from '../../src/optim/lars.js';
import type { Optimizer } from '../../src/optim/optimizer.js';
import { backward } from '../../src/tensor/autograd.js';
import { state, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on } from '../support/devices.js';
import { assertClose } from '../support/op.js';

const [N, I, O] = [5, 7, 3];
const rates = [0, 0.1, 0.1, 0.02];
const rng = new Rng(5, 'data');
const x = Array.from({ length: N * I }, () => rng.normal());
const t = Array.from({ length: N * O }, () => rng.normal());

/** Trains a linear layer on one batch; returns its weight and bias before and after, and the optimizer. */
async function train(make: (p: FlatParameters) => Optimizer) {
  const { layer, optimizer, lr } = on(await gpu(), () => {
    const layer = new Linear(I, O, { seed: new Rng(3, 'model') });
    return { layer, optimizer: make(new FlatParameters(layer)), lr: state(tensor([0])) };
  });
  const read = async () => Promise.all([layer.weight, layer.bias!].map(async (p) => Array.from(await p.data())));
  const before = await read();
  for (const rate of rates)
    on(await gpu(), () =>
      tidy(() => {
        lr.set([rate]);
        const error = sub(layer.call(tensor(x, [N, I])), tensor(t, [N, O]));
        backward(mean(mul(error, error)));
        optimizer.step(lr);
      }),
    );
  return { before, after: await read(), optimizer };
}

/** The gradients of the same loss in plain JavaScript. */
function gradients(W: number[], b: number[]) {
  const [dW, db] = [W.map(() => 0), b.map(() => 0)];
  for (let n = 0; n < N; n++)
    for (let o = 0; o < O; o++) {
      let error = b[o] - t[n * O + o];
      for (let i = 0; i < I; i++) error += x[n * I + i] * W[o * I + i];
      db[o] += (2 * error) / (N * O);
      for (let i = 0; i < I; i++) dW[o * I + i] += (2 * error * x[n * I + i]) / (N * O);
    }
  return [dW, db];
}

describe('LARS over a model', () => {
  it('equals a loop written by hand: the matrix is decayed and scaled, the bias neither', async () => {
    const { before, after, optimizer } = await train((p) => new LARS(p, { momentum: 0.9, weightDecay: 0.01 }));
    const w = before.map((p) => [...p]);
    const v = w.map((p) => p.map(() => 0));
    for (const lr of rates)
      gradients(w[0], w[1]).forEach((g, k) => {
        const dp = g.map((e, i) => (k === 0 ? e + 0.01 * w[k][i] : e));
        const ratio = k === 0 ? (0.001 * Math.hypot(...w[k])) / Math.hypot(...dp) : 1;
        dp.forEach((d, i) => {
          v[k][i] = 0.9 * v[k][i] + ratio * d;
          w[k][i] -= lr * v[k][i];
        });
      });
    after.forEach((p, k) => assertClose(`parameter ${k}`, p, w[k], { relative: 2e-6 }));
    const velocity = optimizer.state().get('velocity')!;
    assertClose('velocity', await optimizer.parameters.part(velocity, 'weight').data(), v[0], {
      relative: 1e-5,
      absolute: 0,
    });
    expect([...optimizer.state().keys()]).toEqual(['velocity']);
  });
});

describe('AdamW over a model', () => {
  it('equals a loop written by hand: everything is decayed, and zeros stay between parameters', async () => {
    const { before, after, optimizer } = await train((p) => new AdamW(p, { weightDecay: 0.1 }));
    const w = before.map((p) => [...p]);
    const [m, v] = [w.map((p) => p.map(() => 0)), w.map((p) => p.map(() => 0))];
    rates.forEach((lr, s) =>
      gradients(w[0], w[1]).forEach((g, k) =>
        g.forEach((e, i) => {
          m[k][i] = 0.9 * m[k][i] + 0.1 * e;
          v[k][i] = 0.999 * v[k][i] + 0.001 * e * e;
          const move = m[k][i] / (1 - 0.9 ** (s + 1)) / (Math.sqrt(v[k][i] / (1 - 0.999 ** (s + 1))) + 1e-8);
          w[k][i] -= lr * (move + 0.1 * w[k][i]);
        }),
      ),
    );
    after.forEach((p, k) => assertClose(`parameter ${k}`, p, w[k], { relative: 5e-6 }));
    const flat = await optimizer.parameters.values.data();
    expect(flat.subarray(I * O, 64).every((e) => e === 0) && flat.subarray(64 + O).every((e) => e === 0)).toBe(true);
    expect([...optimizer.state()].map(([name, s]) => [name, ...s.shape])).toEqual([
      ['m', 128],
      ['v', 128],
      ['corrections', 2],
    ]);
  });
});
