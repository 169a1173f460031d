import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.js';
import { add, mul } from '../../src/ops/binary.js';
import { sum } from '../../src/ops/reduce.js';
import { clipGuard } from '../../src/optim/clip.js';
import { FlatParameters } from '../../src/optim/flat.js';
import { optimizerOf } from '../../src/optim/optimizer-of.js';
import { SGD } from '../../src/optim/sgd.js';
import { backward } from '../../src/tensor/autograd.js';
import { parameter, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference64 } from '../support/devices.js';

const wide = Array.from({ length: 201 }, (_, i) => Math.sin(i));

/** Two parameters after one step of SGD at rate 1 from 0: less by the gradients that it takes. */
async function taken(clipNorm: number | undefined, gradients: readonly number[][], compiled: boolean) {
  const device = await gpu();
  const read = on(device, () => {
    const w = gradients.map((g) => parameter(tensor(g.map(() => 0))));
    const optimizer = new SGD(w, { lr: 1, clipNorm });
    const step = () => {
      backward(w.map((p, i) => sum(mul(p, tensor([...gradients[i]])))).reduce((a, b) => add(a, b)));
      optimizer.step();
    };
    if (compiled) for (const call of [compile(step)]) for (let i = 0; i < 3; i++) call();
    else tidy(step);
    return w.map((p) => p.data());
  });
  return (await Promise.all(read)).map((v) => Array.from(v, (x) => -x / (compiled ? 3 : 1)));
}

describe('gradients are clipped by their norm', () => {
  it.each([false, true])('of all parameters together, as torch’s clip_grad_norm_ (compiled: %s)', async (compiled) => {
    const gradients = [[3, 4], wide];
    const norm = Math.hypot(...gradients.flat());
    for (const most of [0.5, norm / 2, norm * 2, undefined]) {
      const factor = most === undefined ? 1 : Math.min(1, most / (norm + 1e-6));
      const got = await taken(most, gradients, compiled);
      got.forEach((p, i) => p.forEach((v, j) => expect(v).toBeCloseTo(factor * gradients[i][j], 5)));
    }
  });

  it('of zeros stay zeros; of an infinite one nothing finite comes', async () => {
    expect((await taken(1, [[0, 0]], false))[0]).toEqual([0, 0].map((v) => expect.closeTo(v)));
    expect((await taken(1, [[Infinity, 1]], false))[0][0]).toBeNaN();
  });

  it('a scaled loss is clipped by what it is unscaled, and a skipped step stays skipped', async () => {
    for (const backend of [reference64, await gpu()]) {
      const guards = on(backend, () =>
        [
          [[30, 40], 0.1, 0.1 / 5],
          [[3, 4], 0.1, 0.1],
          [[Infinity, 4], 0, 0],
          [[NaN, 4], 0, 0],
        ].map(([dw, guard, want]) => ({
          want,
          got: tidy(() => clipGuard(tensor(dw as number[]), 1, tensor([guard as number]))).data(),
        })),
      );
      for (const { want, got } of guards) expect((await got)[0]).toBeCloseTo(want as number, 6);
    }
  });

  it('is asked for by the setting clipNorm, for every optimizer', async () => {
    const device = await gpu();
    for (const optimizer of ['sgd', 'lars', 'adamw'] as const) {
      const moved = async (clipNorm: number) => {
        const w = on(device, () => parameter(tensor([1, 2, 3, 4])));
        on(device, () =>
          tidy(() => {
            const made = optimizerOf({ optimizer, momentum: 0, weightDecay: 0, clipNorm }, new FlatParameters([w]));
            backward(sum(mul(w, tensor([1e-3, 2e-3, 3e-3, 4e-3]))));
            made.step(tensor([1]));
          }),
        );
        return Array.from(await w.data());
      };
      const [free, same, clipped] = [await moved(0), await moved(1), await moved(1e-9)];
      expect(same).toEqual(free);
      expect(clipped).not.toEqual(free);
    }
  });
});
