import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.js';
import { ReLU } from '../../src/nn/activations.js';
import { manualSeed } from '../../src/nn/init.js';
import { Linear, Sequential } from '../../src/nn/linear.js';
import type { Module } from '../../src/nn/module.js';
import { cast } from '../../src/ops/cast.js';
import { mse } from '../../src/ops/mse.js';
import { AdamW } from '../../src/optim/adamw.js';
import { LARS } from '../../src/optim/lars.js';
import type { LearningRate, Optimizer } from '../../src/optim/optimizer.js';
import { cosine } from '../../src/optim/schedule.js';
import { SGD } from '../../src/optim/sgd.js';
import { backward } from '../../src/tensor/autograd.js';
import { parameter, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference } from '../support/devices.js';

const layer = (seed = 3) => new Linear(3, 2, { seed });
const makes = {
  SGD: (model: Module, lr?: LearningRate) => new SGD(model, { lr, momentum: 0.9 }),
  AdamW: (model: Module, lr?: LearningRate) => new AdamW(model, { lr }),
  LARS: (model: Module, lr?: LearningRate) => new LARS(model, { lr, weightDecay: 1e-3 }),
};

/** Values of a layer after some steps of `advance`. */
async function trained(
  make: (model: Module) => Optimizer,
  steps: number,
  compiled: boolean,
  rate?: (i: number) => number,
) {
  const [model, optimizer, work] = on(await gpu(), () => {
    const [model, x, y] = [
      layer(),
      tensor([
        [1, 2, 3],
        [-1, 0, 2],
      ]),
      tensor([
        [1, 0],
        [2, 1],
      ]),
    ];
    const optimizer = make(model);
    const work = () => {
      const loss = mse(model.call(x), y);
      backward(loss);
      return loss;
    };
    return [model, optimizer, work] as const;
  });
  const step = compile(() => {
    const loss = work();
    optimizer.step();
    return loss;
  });
  for (let i = 0; i < steps; i++)
    on(await gpu(), () => {
      if (compiled) return step();
      return tidy(() => (work(), optimizer.step(rate && tensor([rate(i)]))));
    });
  return { weight: await model.weight.data(), optimizer };
}

describe('an optimizer of a model', () => {
  it.each(Object.entries(makes))(
    '%s takes a rate, a schedule or a rate a step, compiled or not, to the same bits',
    async (_, make) => {
      const schedule = (i: number) => cosine(0.1, i / 6);
      const byHand = await trained((m) => make(m), 6, false, schedule);
      for (const compiled of [false, true]) {
        const { weight, optimizer } = await trained((m) => make(m, schedule), 6, compiled);
        expect(weight).toEqual(byHand.weight);
        expect(optimizer.steps).toBe(6);
      }
      const constant = await trained(
        (m) => make(m, 0.05),
        6,
        false,
        () => 0.05,
      );
      expect((await trained((m) => make(m, 0.05), 6, true)).weight).toEqual(constant.weight);
      expect(constant.weight).not.toEqual(byHand.weight);
    },
  );

  it('asks a schedule once a step, for the rates of several steps a call too', async () => {
    const train = async (compiled: boolean) => {
      const asked: number[] = [];
      const [model, call] = on(await gpu(), () => {
        const [model, x] = [layer(), tensor([[1, 2, 3]])];
        const optimizer = new SGD(model, { lr: (i) => (asked.push(i), [0.03, 0.1, 0.01, 0.2, 0.05, 0.02][i]) });
        const twice = () => {
          for (let k = 0; k < 2; k++) {
            backward(mse(model.call(x), tensor([[1, 0]])));
            optimizer.step();
          }
        };
        return [model, compiled ? compile(twice) : twice] as const;
      });
      for (let i = 0; i < 3; i++) on(await gpu(), call);
      expect(asked).toEqual([0, 1, 2, 3, 4, 5]);
      return model.weight.data();
    };
    expect(await train(true)).toEqual(await train(false));
  });

  it('changes nothing where a schedule gives no rate', async () => {
    const [model, step, optimizer] = on(await gpu(), () => {
      const [model, x] = [layer(), tensor([[1, 2, 3]])];
      const optimizer = new SGD(model, { lr: (i) => [0.1, 0.1, 0.1][i] });
      const step = compile(() => (backward(mse(model.call(x), tensor([[1, 0]]))), optimizer.step()));
      return [model, step, optimizer] as const;
    });
    for (let i = 0; i < 3; i++) on(await gpu(), step);
    const before = await model.weight.data();
    const refused = 'SGD: lr must be a number, at least 0; got undefined. Correct it.';
    on(await gpu(), () => expect(step).toThrow(refused));
    expect([optimizer.steps, await model.weight.data()]).toEqual([3, before]);
  });

  it('goes on with a schedule where a checkpoint left off', async () => {
    const rates: number[] = [];
    on(reference, () => {
      const optimizer = new SGD(layer(), { lr: (i) => (rates.push(i), 0.1) });
      optimizer.steps = 40;
      optimizer.step();
    });
    expect(rates).toEqual([40]);
  });

  it('takes several models, or parameters in a map or list, but none that another has', () => {
    on(reference, () => {
      const [a, b, c] = [layer(), layer(), layer()];
      expect([...new SGD([a, b], { lr: 1 }).parameters.named.keys()]).toEqual([
        '0.weight',
        '0.bias',
        '1.weight',
        '1.bias',
      ]);
      expect([...new SGD(new Map([['w', c.weight]]), { lr: 1 }).parameters.named.keys()]).toEqual(['w']);
      expect([...new SGD([c.bias!], { lr: 1 }).parameters.named.keys()]).toEqual(['0']);
      const refused =
        'AdamW: a parameter must have one optimizer; got 0.weight, which another trains. ' +
        'Pass all models to one optimizer, or build the model anew.';
      expect(() => new AdamW(new Sequential(a), { lr: 1 })).toThrow(refused);
      expect(() => makes.SGD(layer()).step()).toThrow(
        'SGD: a step must have a learning rate; got none. Make the optimizer with { lr }.',
      );
    });
  });
});

describe('what an optimizer trains', () => {
  it('is placed once, whatever it is shared by', async () => {
    const [model, twice] = on(reference, () => {
      const shared = new Linear(3, 3, { seed: 3 });
      const [model, twice] = [new Sequential(shared, shared), layer()];
      const x = tensor([[1, 2, 3]]);
      const optimizer = new AdamW(model, { lr: 0.1 });
      expect([...optimizer.parameters.named.keys()]).toEqual(['0.weight', '0.bias']);
      expect([...new SGD([twice, twice], { lr: 1 }).parameters.named.keys()]).toEqual(['0.weight', '0.bias']);
      const before = mse(model.call(x), x);
      backward(before);
      optimizer.step();
      return [[before, mse(model.call(x), x)], twice] as const;
    });
    expect(await model[1].item()).toBeLessThan(await model[0].item());
    expect(twice.weight.requiresGrad).toBe(true);
  });

  it('keeps the gradients that it has, also where a second optimizer is refused', async () => {
    const [early, late] = on(reference, () =>
      [true, false].map((early) => {
        const model = layer();
        const loss = () => backward(mse(model.call(tensor([[1, 2, 3]])), tensor([[1, 0]])));
        if (early) loss();
        const optimizer = new SGD(model, { lr: 0.1 });
        if (!early) loss();
        expect(() => new SGD([layer(), model], { lr: 0.1 })).toThrow('got 1.weight, which another trains.');
        optimizer.step();
        return model;
      }),
    );
    expect(await early.weight.data()).toEqual(await late.weight.data());
    expect(await early.weight.data()).not.toEqual(await on(reference, () => layer().weight.data()));
  });

  it('is f32 parameters, at least one', () => {
    on(reference, () => {
      const rule = 'SGD: what it trains must be f32 parameters; got 0, a Tensor [2]';
      expect(() => new SGD([tensor([1, 2])], { lr: 1 })).toThrow(`${rule} f32 on reference (f32). Make it`);
      expect(() => new SGD([parameter(cast(tensor([1, 2]), 'f16'))], { lr: 1 })).toThrow(`${rule} f16`);
      expect(() => new SGD(new ReLU(), { lr: 1 })).toThrow('SGD: the model must have parameters; got none that is');
    });
  });
});

describe('manualSeed', () => {
  it('makes layers start alike, one after another', async () => {
    const weights = () => on(reference, () => [new Linear(3, 2), new Linear(3, 2)].map((l) => l.weight.data()));
    manualSeed(5);
    const [a, b] = await Promise.all(weights());
    manualSeed(5);
    expect(await Promise.all(weights())).toEqual([a, b]);
    expect(a).not.toEqual(b);
    manualSeed(6);
    expect((await Promise.all(weights()))[0]).not.toEqual(a);
    manualSeed(0);
  });
});
