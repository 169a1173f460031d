import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GpuBackend } from '../../src/backend/gpu.js';
import { Rng } from '../../src/core/rng.js';
import { openGpu } from '../../src/gpu/device.js';
import { Linear } from '../../src/nn/linear.js';
import { adamw } from '../../src/ops/adamw.js';
import { add, mul, sub } from '../../src/ops/binary.js';
import { lars, larsTable } from '../../src/ops/lars.js';
import { lossScale } from '../../src/ops/loss_scale.js';
import { mean } from '../../src/ops/reduce.js';
import { sgd } from '../../src/ops/sgd.js';
import { concat } from '../../src/ops/strided.js';
import { AdamW } from '../../src/optim/adamw.js';
import { FlatParameters } from '../../src/optim/flat.js';
import { LARS } from '../../src/optim/lars.js';
import { LossScale } from '../../src/optim/loss-scale.js';
import type { Optimizer } from '../../src/optim/optimizer.js';
import { SGD } from '../../src/optim/sgd.js';
import { backward } from '../../src/tensor/autograd.js';
import { zeros } from '../../src/tensor/fill.js';
import { state, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, hardware, on, reference } from '../support/devices.js';
import { assertClose, checkOp } from '../support/op.js';

/** Infinities, and numbers that are none, quiet and not; the largest number and the least, which are some. */
const bad = [0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffffffff];
const good = [0, 0x80000000, 1, 0x7f7fffff, 0xff7fffff, 0x3f800000];

const cases = fc.record({
  length: fc.constantFrom(0, 1, 2, 3, 4, 5, 63, 64, 256, 257, 1024, 4099, 8192, 70000),
  bits: fc.constantFrom(undefined, ...bad, ...good),
  at: fc.nat(0xfffff),
  others: fc.constantFrom(undefined, 1, 4, 63, 9001),
  before: fc.constantFrom(
    [65536, 0, 0, 0],
    [1024, 1998, 3, 2],
    [1024, 1999, 3, 0],
    [2 ** 32, 1999, 0, 0],
    [2 ** -24, 5, 7, 7],
  ),
});

describe('lossScale', () => {
  it.each([
    ['as on this adapter', gpu],
    ['as on a graphics card', hardware],
    ['without the checks and zeros that browsers add', () => openGpu().then((g) => new GpuBackend(g))],
  ] as const)(
    'GPU = mirror to the bit, one bad value found wherever it is, in gradients or statistics, %s',
    async (_, open) => {
      const device = await open();
      await fc.assert(
        fc.asyncProperty(cases, async ({ length, others, bits, at, before }) => {
          const words = new Uint32Array(new Float32Array(length + (others ?? 0)).fill(0.1).buffer);
          if (bits !== undefined && words.length > 0) words[at % words.length] = bits;
          const values = new Float32Array(words.buffer);
          const run = (backend: typeof device | typeof reference) =>
            Promise.all(
              on(backend, () =>
                tidy(() => {
                  const [s, guard] = [tensor(before), zeros([1])];
                  lossScale(tensor(values.slice(0, length)), s, guard, {
                    statistics: others === undefined ? undefined : tensor(values.slice(length)),
                  });
                  return [s.data(), guard.data()];
                }),
              ),
            );
          const [got, want] = [await run(device), await run(reference)];
          expect(got).toEqual(want);
          expect(want[1][0]).toBe(words.length > 0 && bad.includes(bits ?? 0) ? 0 : 1 / before[0]);
        }),
        { numRuns: 30 },
      );
    },
  );

  it('halves after a bad step, and doubles after so many good ones in a row', async () => {
    const scales: number[][] = [];
    for (const backend of [reference, await gpu()]) {
      const scale = on(backend, () => new LossScale({ interval: 3 }));
      for (const g of [1, 1, Infinity, 1, 1, 1, 1, NaN, NaN]) {
        on(backend, () => tidy(() => scale.test(tensor([0, g]))));
        scales.push([...(await scale.state.data()), ...(await scale.guard.data())]);
      }
    }
    const once = [
      [65536, 1, 0, 0, 2 ** -16],
      [65536, 2, 0, 0, 2 ** -16],
      [32768, 0, 1, 1, 0],
      [32768, 1, 1, 0, 2 ** -15],
      [32768, 2, 1, 0, 2 ** -15],
      [65536, 0, 1, 0, 2 ** -15],
      [65536, 1, 1, 0, 2 ** -16],
      [32768, 0, 2, 1, 0],
      [16384, 0, 3, 2, 0],
    ];
    expect(scales).toEqual([...once, ...once]);
  });
});

describe('optimizers with a guard', () => {
  const guards = fc.record({ length: fc.constantFrom(4, 64, 260), guard: fc.constantFrom(0, 2 ** -16, 4) });
  const three = (length: number) => [{ shape: [length] }, { shape: [length] }, { shape: [1], values: () => 0.03 }];

  it('SGD, LARS and AdamW: GPU = mirror, and nothing changes where it is 0', () =>
    checkOp(
      guards,
      ({ length, guard }) => ({
        inputs: [...three(length), { shape: [1], values: () => guard }],
        f: (w0, dw, lr, g) => {
          const w = [0, 1, 2].map((shift) => add(w0, shift));
          const [v, u, m] = [
            add(dw, 1),
            add(dw, 2),
            { m: add(dw, 0), v: mul(dw, dw), corrections: tensor([0.1, 0.001]) },
          ];
          const before = concat([...w, v, u, m.m, m.v, m.corrections]);
          sgd(w[0], dw, v, lr, { momentum: 0.9, weightDecay: 0.1, guard: g });
          lars(w[1], dw, u, larsTable([{ start: 0, length, adapted: true }]), lr, {
            momentum: 0.9,
            weightDecay: 0.1,
            guard: g,
          });
          adamw(w[2], dw, m, lr, { weightDecay: 0.1, guard: g });
          const after = concat([...w, v, u, m.m, m.v, m.corrections]);
          return guard === 0 ? sub(after, before) : after;
        },
      }),
      { gradient: false },
      12,
    ));

  const makes: [string, (p: FlatParameters) => Optimizer][] = [
    ['SGD', (p) => new SGD(p, { momentum: 0.9, weightDecay: 0.01 })],
    ['LARS', (p) => new LARS(p, { momentum: 0.9, weightDecay: 0.01 })],
    ['AdamW', (p) => new AdamW(p, { weightDecay: 0.01 })],
  ];

  /** Steps of a layer that learns one batch; those in `spoilt` get an infinite gradient. */
  async function train(make: (p: FlatParameters) => Optimizer, scaled: boolean, steps: number, spoilt: number[] = []) {
    const rng = new Rng(4, 'data');
    const [x, t] = [35, 15].map((n) => Float32Array.from({ length: n }, () => rng.normal()));
    const { layer, optimizer, lr } = on(await gpu(), () => {
      const layer = new Linear(7, 3, { seed: new Rng(3, 'model') });
      const parameters = new FlatParameters(layer);
      if (scaled) parameters.lossScale = new LossScale();
      return { layer, optimizer: make(parameters), lr: state(tensor([0.1])) };
    });
    const { parameters } = optimizer;
    const snapshot = async () => [
      await parameters.values.data(),
      ...(await Promise.all([...optimizer.state()].flatMap(([name, s]) => (name === 'loss_scale' ? [] : [s.data()])))),
    ];
    const seen: Awaited<ReturnType<typeof snapshot>>[] = [];
    for (let i = 0; i < steps; i++) {
      on(await gpu(), () =>
        tidy(() => {
          const error = sub(layer.call(tensor(x, [5, 7])), tensor(t, [5, 3]));
          const loss = mean(mul(error, error));
          backward(loss, parameters.lossScale?.seed(loss.shape));
          if (spoilt.includes(i)) layer.bias!.grad!.set([0, -Infinity, 1]);
          optimizer.step(lr);
        }),
      );
      seen.push(await snapshot());
    }
    return { seen, scale: await parameters.lossScale?.state.data(), names: [...optimizer.state().keys()] };
  }

  it.each(makes)('%s: a scaled loss makes the same steps', async (_, make) => {
    const [plain, scaled] = [await train(make, false, 3), await train(make, true, 3)];
    scaled.seen.at(-1)!.forEach((got, i) => assertClose(`state ${i}`, got, plain.seen.at(-1)![i], { relative: 1e-6 }));
    expect(scaled.names).toEqual([...plain.names, 'loss_scale']);
  });

  it.each(makes)(
    '%s: a step with an infinite gradient leaves every bit as it was and halves the scale; the next are made',
    async (_, make) => {
      const [spoilt, whole] = [await train(make, true, 4, [1, 2]), await train(make, true, 2)];
      expect(spoilt.seen[1]).toEqual(spoilt.seen[0]);
      expect(spoilt.seen[2]).toEqual(spoilt.seen[0]);
      spoilt.seen[3].forEach((got, i) => assertClose(`state ${i}`, got, whole.seen[1][i], { relative: 1e-6 }));
      expect([...spoilt.scale!]).toEqual([16384, 1, 2, 0]);
    },
  );
});
