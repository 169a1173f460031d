import { describe, expect, it, vi } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { Module } from '../../src/nn/module.js';
import { add, mul, sub } from '../../src/ops/binary.js';
import { linear } from '../../src/ops/linear.js';
import { matmul } from '../../src/ops/matmul.js';
import { mean, sum } from '../../src/ops/reduce.js';
import { reshape } from '../../src/ops/reshape.js';
import { exp, neg } from '../../src/ops/unary.js';
import { FlatParameters } from '../../src/optim/flat.js';
import { copyInto } from '../../src/tensor/accumulate.js';
import { backward, noGrad, record, zeroGrad } from '../../src/tensor/autograd.js';
import { parameter, state, type Tensor, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference64 } from '../support/devices.js';
import { assertClose } from '../support/op.js';

const devices: [string, () => Backend | Promise<Backend>][] = [
  ['gpu', gpu],
  ['reference', () => reference64],
];

/** Runs `fn` inside a step on the backend, and reads what it returns. */
async function values(backend: Backend | Promise<Backend>, fn: () => Tensor[]): Promise<number[][]> {
  const read = on(await backend, () => tidy(() => fn().map((t) => t.data())));
  return (await Promise.all(read)).map((v) => Array.from(v));
}

describe.each(devices)('backward on %s', (_, backend) => {
  it('adds up over shared subexpressions: y = s² + s, s = e^a · b', async () => {
    const [da, db] = await values(backend(), () => {
      const [a, b] = [parameter(tensor([0.5, -1])), parameter(tensor([2, 3]))];
      const s = mul(exp(a), b);
      backward(sum(add(mul(s, s), s)));
      return [a.grad!, b.grad!];
    });
    const s = [2 * Math.exp(0.5), 3 * Math.exp(-1)];
    assertClose(
      'da',
      da,
      s.map((v) => (2 * v + 1) * v),
    );
    assertClose(
      'db',
      db,
      s.map((v, i) => (2 * v + 1) * [Math.exp(0.5), Math.exp(-1)][i]),
    );
  });

  it('adds up over every use of a leaf, in one operation and in several', async () => {
    const [square, thrice, both] = await values(backend(), () => {
      const [x, y, z] = [1, 2, 3].map(() => parameter(tensor([3, -2])));
      backward(sum(mul(x, x)));
      backward(sum(add(add(y, y), y)));
      backward(sum(sub(mul(z, z), mul(z, 5))));
      return [x.grad!, y.grad!, z.grad!];
    });
    expect(square).toEqual([6, -4]);
    expect(thrice).toEqual([3, 3]);
    expect(both).toEqual([1, -9]);
  });

  it('a sum of gradients that is handed on to two tensors is not added to in place', async () => {
    const [da, db] = await values(backend(), () => {
      const [a, b] = [parameter(tensor([1, 2])), parameter(tensor([3, 4]))];
      const [u, v] = [neg(a), neg(b)];
      const s = add(u, v); // ds = [3, 3], a sum made by backward; du and dv begin as this same tensor
      backward(sum(add(add(add(s, s), s), mul(u, 5))));
      return [a.grad!, b.grad!];
    });
    expect(da).toEqual([-8, -8]);
    expect(db).toEqual([-3, -3]);
  });

  it('leaves that share a gradient have memory of their own: a + b', async () => {
    const [da, db, da2, db2] = await values(backend(), () => {
      const [a, b] = [parameter(tensor([1, 2])), parameter(tensor([3, 4]))];
      backward(sum(mul(add(a, b), 2)));
      const first = [add(a.grad!, 0), add(b.grad!, 0)];
      backward(sum(mul(a, 10)));
      return [...first, a.grad!, b.grad!];
    });
    expect([da, db]).toEqual([
      [2, 2],
      [2, 2],
    ]);
    expect([da2, db2]).toEqual([
      [12, 12],
      [2, 2],
    ]);
  });

  it('works through views and matrix products: d/dW of Σ x W', async () => {
    const [dW, dx] = await values(backend(), () => {
      const [x, W] = [parameter(tensor([1, 2, 3, 4, 5, 6])), parameter(tensor([1, -1, 2, 0, 3, 1], [3, 2]))];
      backward(sum(matmul(reshape(x, [2, 3]), W)));
      return [W.grad!, x.grad!];
    });
    expect(dW).toEqual([5, 5, 7, 7, 9, 9]);
    expect(dx).toEqual([0, 2, 4, 0, 2, 4]);
  });

  it('noGrad records nothing, and ends with its function, thrown or not', async () => {
    const [dx] = await values(backend(), () => {
      const x = parameter(tensor([2, 3]));
      const frozen = noGrad(() => mul(x, x));
      expect([frozen.requiresGrad, frozen.node]).toEqual([false, undefined]);
      expect(() =>
        noGrad(() => {
          throw new Error('inside');
        }),
      ).toThrow('inside');
      noGrad(() => noGrad(() => 0));
      const y = mul(x, frozen);
      expect(y.requiresGrad).toBe(true);
      backward(sum(y));
      return [x.grad!];
    });
    expect(dx).toEqual([4, 9]); // frozen counts as a constant
  });

  it('detach stops the gradient but keeps the values', async () => {
    const [dx, same] = await values(backend(), () => {
      const x = parameter(tensor([2, 3]));
      const y = exp(x).detach();
      expect(y.requiresGrad).toBe(false);
      backward(sum(mul(x, y)));
      return [x.grad!, y];
    });
    assertClose('dx', dx, [Math.exp(2), Math.exp(3)]);
    assertClose('y', same, [Math.exp(2), Math.exp(3)]);
  });

  it('a second backward accumulates, of this graph or another; after zeroGrad one overwrites', async () => {
    const [twice, other, fresh, again] = await values(backend(), () => {
      const x = parameter(tensor([1, 2, 3]));
      const loss = sum(mul(x, x));
      backward(loss);
      const memory = x.grad!;
      backward(loss);
      const twice = add(x.grad!, 0);
      backward(sum(x));
      const other = add(x.grad!, 0);
      zeroGrad([x]);
      backward(loss);
      const fresh = add(x.grad!, 0);
      zeroGrad([x]);
      backward(sum(add(mul(x, x), x))); // the first contribution may be written in place, the second is added
      expect(x.grad).toBe(memory);
      return [twice, other, fresh, x.grad!];
    });
    expect(twice).toEqual([4, 8, 12]);
    expect(other).toEqual([5, 9, 13]);
    expect(fresh).toEqual([2, 4, 6]);
    expect(again).toEqual([3, 5, 7]);
  });

  it('a weight used twice after zeroGrad: only the first product may write its gradient in place', async () => {
    const [first, second] = await values(backend(), () => {
      const W = parameter(tensor([1, -1, 2, 0], [2, 2]));
      const loss = () => sum(add(matmul(tensor([1, 2], [1, 2]), W), mul(matmul(tensor([3, 5], [1, 2]), W), 10)));
      backward(loss());
      const first = add(W.grad!, 0);
      const memory = W.grad!;
      zeroGrad([W]);
      backward(loss());
      expect(W.grad).toBe(memory);
      return [first, W.grad!];
    });
    expect([first, second]).toEqual([
      [31, 31, 52, 52],
      [31, 31, 52, 52],
    ]);
  });

  it('adds a second gradient in the memory that holds the first, without a copy, and sums a bias’s there', async () => {
    const device = await backend();
    const asked = vi.spyOn(device, 'run');
    const [dw, db] = await values(device, () => {
      const [w, b] = [parameter(tensor([1, -1, 2, 0], [2, 2])), parameter(tensor([0, 0]))];
      const y = (x: number) => linear(tensor([x, 1, 2, x], [2, 2]), w, b);
      const step = () => backward(sum(add(y(3), y(4))));
      step();
      zeroGrad([w, b]);
      asked.mockClear();
      step();
      return [w.grad!, b.grad!];
    });
    const added = asked.mock.calls.filter(([{ name }]) => name === 'accumulate').length;
    asked.mockRestore();
    expect(added).toBe(2);
    expect([dw, db]).toEqual([
      [11, 9, 11, 9],
      [4, 4],
    ]);
  });

  it('a rule that gives one memory to two inputs: what is added to one is not added to the other', async () => {
    const [dx, dy] = await values(backend(), () => {
      const [x, y] = [parameter(tensor([1, 2])), parameter(tensor([3, 4]))];
      const both = (a: Tensor, b: Tensor) =>
        record('both', add(a.detach(), b.detach()), [a, b], (d, [place]) => {
          const made = place!();
          copyInto(made, d);
          return [made, made];
        });
      const step = () => backward(sum(add(both(x, y), mul(x, 10))));
      step();
      zeroGrad([x, y]);
      step();
      return [x.grad!, y.grad!];
    });
    expect([dx, dy]).toEqual([
      [11, 11],
      [1, 1],
    ]);
  });

  it('a loss that is itself a leaf has gradient 1, and tensors in between keep none', async () => {
    const [grad] = await values(backend(), () => {
      const x = parameter(tensor([7]));
      const middle = neg(x);
      backward(middle);
      zeroGrad([x]);
      backward(x);
      expect(middle.grad).toBeUndefined();
      return [x.grad!];
    });
    expect(grad).toEqual([1]);
  });

  it('constants get no gradient, and a loss that needs none is refused, whatever it was cut off by', async () => {
    const [dx] = await values(backend(), () => {
      const [x, c] = [parameter(tensor([1, 2])), tensor([3, 4])];
      const loss = sum(mul(x, c));
      backward(loss);
      expect([c.grad, c.requiresGrad]).toEqual([undefined, false]);
      const y = sum(mul(c, c));
      expect([y.requiresGrad, y.node]).toEqual([false, undefined]);
      for (const cut of [y, loss.detach(), noGrad(() => sum(mul(x, c))), tensor([1])])
        expect(() => backward(cut)).toThrow(
          new RegExp(
            /^backward: the loss must come from a tensor that requires a gradient/.source +
              /; got Tensor .*\. Mark what is trained with parameter\(\)/.source,
          ),
        );
      x.requiresGrad = false; // frozen since
      expect(() => backward(loss)).toThrow('requires a gradient; got Tensor [] f32');
      return [x.grad!];
    });
    expect(dx).toEqual([3, 4]);
  });

  it('what is frozen after the loss was made gets no gradient, and nothing before it', async () => {
    const [dx] = await values(backend(), () => {
      const [x, w] = [parameter(tensor([1, 2])), parameter(tensor([3, 4]))];
      const loss = sum(add(mul(x, 2), exp(w)));
      w.requiresGrad = false;
      backward(loss);
      expect(w.grad).toBeUndefined();
      return [x.grad!];
    });
    expect(dx).toEqual([2, 2]);
  });

  it('a seed scales the gradient and must have the shape of the loss; a trained one grows no graph', async () => {
    const [dx] = await values(backend(), () => {
      const [x, seed] = [parameter(tensor([1, 2])), parameter(tensor([3], []))];
      backward(sum(mul(x, x)), seed);
      expect([x.grad!.requiresGrad, x.grad!.node]).toEqual([false, undefined]);
      expect(() => backward(sum(x), tensor([1, 2]))).toThrow('backward: the seed must have shape []; got [2].');
      return [x.grad!];
    });
    expect(dx).toEqual([6, 12]);
  });

  it('refuses a rule that leaves out a gradient or gives it another shape', async () => {
    on(await backend(), () => {
      const x = parameter(tensor([1, 2]));
      const made = (rule: (dy: Tensor) => (Tensor | undefined)[]) => sum(record('mine', mul(x, 2).detach(), [x], rule));
      expect(() => backward(made(() => []))).toThrow(
        "backward: the gradient of mine must have its input's shape [2]; got undefined.",
      );
      expect(() => backward(made(() => [tensor([1])]))).toThrow('got [1].');
    });
  });

  it('a rule is called once, with one place an input that wants a gradient, never the same memory twice', async () => {
    const [dx] = await values(backend(), () => {
      const [x, frozen] = [parameter(tensor([1, 2])), tensor([5, 5])];
      x.grad = state(tensor([NaN, NaN]));
      zeroGrad([x]);
      const kept = x.grad;
      let calls = 0;
      const y = record('mine', tensor([0, 0]), [x, frozen, x], (dy, [first, none, second]) => {
        calls++;
        expect(none).toBeUndefined();
        const memory = [second!(), first!(), first!()];
        expect(new Set(memory.map((m) => m.storage)).size).toBe(3);
        expect(memory[0]).toBe(kept);
        return [mul(dy, 2), dy, mul(dy, 3)]; // none of it used: what was offered stays spent
      });
      backward(sum(y));
      expect([calls, x.grad]).toEqual([1, kept]);
      return [x.grad];
    });
    expect(dx).toEqual([5, 5]);
  });

  it('3000 additions deep: the stack holds, and the gradient counts them', async () => {
    const [dx] = await values(backend(), () => {
      const x = parameter(tensor([1]));
      let y: Tensor = x;
      for (let i = 0; i < 3000; i++) y = add(y, x);
      backward(y);
      return [x.grad!];
    });
    expect(dx).toEqual([3001]);
  });

  it('100 doublings: a graph of 2^100 paths is walked once', async () => {
    const [dx] = await values(backend(), () => {
      const x = parameter(tensor([1]));
      let y: Tensor = x;
      for (let i = 0; i < 100; i++) y = add(y, y);
      backward(y);
      return [x.grad!];
    });
    expect(dx).toEqual([2 ** 100]);
  });

  it('names the shape of a loss with more or fewer elements than one', async () => {
    on(await backend(), () => {
      const x = parameter(tensor([1, 2, 3, 4, 5, 6], [2, 3]));
      expect(() => backward(mul(x, x))).toThrow(
        'backward: the loss must have one element; got [2, 3]. Reduce it with mean() or sum().',
      );
      expect(() => backward(parameter(tensor([])))).toThrow('got [0]');
      expect(x.grad).toBeUndefined();
    });
  });
});

class Two extends Module {
  readonly used = parameter(tensor([1, 2, 3]));
  readonly unused = parameter(tensor([4, 5], [1, 2]));

  forward(x: Tensor): Tensor {
    return mul(this.used, x);
  }
}

describe('FlatParameters', () => {
  it.each(devices)(
    'on %s: gradients land in one buffer, and settle() clears those that backward did not reach',
    async (_, backend) => {
      const device = await backend();
      const model = on(device, () => new Two());
      const flat = on(device, () => new FlatParameters(model));
      const grads = async () => Array.from(await flat.grads!.data());
      const expected = (used: number[], unused: number[]) => [
        ...used,
        ...new Array(61).fill(0),
        ...unused,
        ...new Array(62).fill(0),
      ];
      const pass = (wantUnused: boolean, scale: number) =>
        on(device, () =>
          tidy(() => {
            flat.zeroGrad();
            let loss = sum(model.call(tensor([scale, scale, scale])));
            if (wantUnused) loss = add(loss, sum(mul(model.unused, 7)));
            backward(loss);
            flat.settle();
          }),
        );
      expect(await flat.values.data()).toHaveLength(128);
      expect(Array.from(await flat.values.data())).toEqual(expected([1, 2, 3], [4, 5]));
      pass(true, 2);
      expect(await grads()).toEqual(expected([2, 2, 2], [7, 7]));
      pass(false, 3);
      expect(await grads()).toEqual(expected([3, 3, 3], [0, 0]));
      pass(true, 1);
      expect(await grads()).toEqual(expected([1, 1, 1], [7, 7]));
      expect(Array.from(await model.unused.data())).toEqual([4, 5]);
    },
  );

  it.each(devices)('on %s: the model’s tensors are parts of the whole, and stay so', async (_, backend) => {
    const device = await backend();
    const model = on(device, () => new Two());
    const flat = on(device, () => new FlatParameters(model, { gradients: false }));
    expect([flat.grads, model.used.requiresGrad, model.unused.requiresGrad]).toEqual([undefined, false, false]);
    flat.values.set(Float32Array.from({ length: 128 }, (_, i) => i));
    expect(Array.from(await model.used.data())).toEqual([0, 1, 2]);
    expect(Array.from(await model.unused.data())).toEqual([64, 65]);
    model.unused.set([-1, -2]);
    expect(Array.from(await flat.values.data()).slice(63, 67)).toEqual([63, -1, -2, 66]);
    expect(flat.part(flat.values, 'unused').shape).toEqual([1, 2]);
  });

  it('a mean over parts equals the mean over the whole', async () => {
    const [whole] = await values(reference64, () => {
      const model = new Two();
      const flat = new FlatParameters(model);
      backward(mean(model.call(tensor([3, 6, 9]))));
      return [flat.grads!];
    });
    expect(whole.slice(0, 3)).toEqual([1, 2, 3]);
  });
});
