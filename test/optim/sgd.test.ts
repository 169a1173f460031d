import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { Rng } from '../../src/core/rng.js';
import { Linear } from '../../src/nn/linear.js';
import { Module } from '../../src/nn/module.js';
import { mul, sub } from '../../src/ops/binary.js';
import { mean } from '../../src/ops/reduce.js';
import { FlatParameters } from '../../src/optim/flat.js';
import { SGD } from '../../src/optim/sgd.js';
import { backward } from '../../src/tensor/autograd.js';
import { parameter, state, type Tensor, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference64 } from '../support/devices.js';
import { assertClose } from '../support/op.js';

const [N, I, O] = [5, 7, 3];
const momentum = 0.9;
const weightDecay = 0.01;
const rates = [0.1, 0.1, 0.02];

/** A linear layer, and a parameter that only some losses use. */
class Model extends Module {
  readonly fc = new Linear(I, O, { seed: new Rng(3, 'model') });
  readonly extra = parameter(tensor([1, -2]));

  forward(x: Tensor): Tensor {
    return this.fc.call(x);
  }
}

const rng = new Rng(3, 'data');
const batches = rates.map(() => ({
  x: Float32Array.from({ length: N * I }, () => rng.normal()),
  t: Float32Array.from({ length: N * O }, () => rng.normal()),
}));

/** The same three steps in plain JavaScript, each gradient worked out by hand. */
function byHand(W: number[], b: number[], extra: number[], useExtra: (s: number) => boolean) {
  const v = { W: W.map(() => 0), b: b.map(() => 0), extra: extra.map(() => 0) };
  const update = (w: number[], g: number[], v: number[], lr: number) =>
    w.forEach((_, i) => {
      v[i] = momentum * v[i] + g[i] + weightDecay * w[i];
      w[i] -= lr * v[i];
    });
  const losses = rates.map((lr, s) => {
    const { x, t } = batches[s];
    const [dW, db] = [W.map(() => 0), b.map(() => 0)];
    let loss = 0;
    for (let n = 0; n < N; n++)
      for (let o = 0; o < O; o++) {
        let error = b[o] - t[n * O + o];
        for (let i = 0; i < I; i++) error += x[n * I + i] * W[o * I + i];
        loss += (error * error) / (N * O);
        db[o] += (2 * error) / (N * O);
        for (let i = 0; i < I; i++) dW[o * I + i] += (2 * error * x[n * I + i]) / (N * O);
      }
    const dExtra = extra.map((e) => (useExtra(s) ? e : 0)); // d/de mean(e²) over two of them
    update(W, dW, v.W, lr);
    update(b, db, v.b, lr);
    update(extra, dExtra, v.extra, lr);
    return loss;
  });
  return { W, b, extra, v, losses };
}

const useExtra = (s: number) => s !== 1;

async function run(backend: Backend) {
  const read = async (t: Tensor) => Array.from(await t.data());
  const { model, sgd, lr } = on(backend, () => {
    const model = new Model();
    return { model, sgd: new SGD(new FlatParameters(model), { momentum, weightDecay }), lr: state(tensor([0])) };
  });
  const start = { W: await read(model.fc.weight), b: await read(model.fc.bias!), extra: await read(model.extra) };
  const losses: number[] = [];
  for (let s = 0; s < rates.length; s++) {
    const loss = on(backend, () =>
      tidy(() => {
        lr.set([rates[s]]);
        const error = sub(model.call(tensor(batches[s].x, [N, I])), tensor(batches[s].t, [N, O]));
        const loss = mean(mul(error, error));
        backward(loss);
        if (useExtra(s)) backward(mean(mul(model.extra, model.extra))); // gradients of two losses add up
        sgd.step(lr);
        return loss.item();
      }),
    );
    losses.push(await loss);
  }
  const { parameters, velocity } = sgd;
  return { start, model, losses, read, sgd, velocityOf: (name: string) => read(parameters.part(velocity, name)) };
}

describe('SGD over a model', () => {
  it.each<[string, () => Backend | Promise<Backend>, number]>([
    ['gpu', gpu, 2e-6],
    ['reference', () => reference64, 1e-12],
  ])('on %s: three steps equal a loop written by hand', async (_, backend, relative) => {
    const got = await run(await backend());
    const want = byHand(got.start.W, got.start.b, got.start.extra, useExtra);
    const tolerance = { relative, absolute: relative };
    assertClose('losses', got.losses, want.losses, tolerance);
    assertClose('weight', await got.read(got.model.fc.weight), want.W, tolerance);
    assertClose('bias', await got.read(got.model.fc.bias!), want.b, tolerance);
    assertClose('a parameter that one step did not reach', await got.read(got.model.extra), want.extra, tolerance);
    assertClose('velocity of the weight', await got.velocityOf('fc.weight'), want.v.W, tolerance);
    assertClose('velocity of the bias', await got.velocityOf('fc.bias'), want.v.b, tolerance);
    assertClose('velocity of extra', await got.velocityOf('extra'), want.v.extra, tolerance);
  });

  it('names parameters as the model does, and keeps zeros between them', async () => {
    const { sgd, read } = await run(await gpu());
    expect([...sgd.parameters.named.keys()]).toEqual(['extra', 'fc.weight', 'fc.bias']);
    const values = await read(sgd.parameters.values);
    expect(values.length).toBe(3 * 64);
    expect(values.slice(2, 64).every((v) => v === 0)).toBe(true);
    expect(values.slice(64 + I * O, 128).every((v) => v === 0)).toBe(true);
  });
});
