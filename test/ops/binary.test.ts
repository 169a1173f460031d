import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.js';
import type { Rng } from '../../src/core/rng.js';
import { add, div, greater, maximum, mul, sub } from '../../src/ops/binary.js';
import { state, type Tensor, tensor } from '../../src/tensor/tensor.js';
import { gpu, on } from '../support/devices.js';
import { checkOp, uglySize } from '../support/op.js';

/** Two shapes that broadcast: sizes of one shape, some replaced by 1 or dropped from the front. */
const pair = fc
  .array(uglySize, { maxLength: 4 })
  .chain((shape) =>
    fc
      .record({
        ones: fc.array(fc.constantFrom('keep', 'a', 'b'), { minLength: shape.length, maxLength: shape.length }),
        drop: fc.nat(shape.length),
        dropA: fc.boolean(),
      })
      .map(({ ones, drop, dropA }) => {
        const a = shape.map((d, i) => (ones[i] === 'a' ? 1 : d));
        const b = shape.map((d, i) => (ones[i] === 'b' ? 1 : d));
        return dropA ? { a: a.slice(drop), b } : { a, b: b.slice(drop) };
      }),
  )
  .filter(({ a, b }) => [a, b].every((s) => s.reduce((n, d) => n * d, 1) < 5000));

describe('binary', () => {
  it.each([
    ['add', add],
    ['sub', sub],
    ['mul', mul],
    ['maximum', maximum],
  ] as const)('%s: GPU = mirror, gradients', (_, f) =>
    checkOp(pair, ({ a, b }) => ({ inputs: [{ shape: a }, { shape: b }], f })),
  );

  it('div: GPU = mirror, gradients', () =>
    checkOp(pair, ({ a, b }) => ({
      inputs: [{ shape: a }, { shape: b, values: (r) => r.uniform(0.5, 2) * (r.uniform() < 0.5 ? -1 : 1) }],
      f: div,
    })));

  it('greater: GPU = mirror', () =>
    checkOp(pair, ({ a, b }) => ({ inputs: [{ shape: a }, { shape: b }], f: greater }), { gradient: false }));

  it.each([false, true])(
    'many workgroups: rows, columns and strides, in fours and not; as on a graphics card: %s',
    (hardware) =>
      checkOp(
        fc.constantFrom(
          [[70, 68], [68]],
          [[70, 67], [67]],
          [
            [70, 68],
            [70, 1],
          ],
          [
            [1, 68],
            [70, 1],
          ],
          [
            [5, 1, 36],
            [5, 30, 36],
          ],
          [
            [5, 30, 1],
            [1, 30, 36],
          ],
          [
            [35, 3, 1],
            [3, 41],
          ],
          [[3, 1100], [1100]],
        ),
        ([a, b]) => ({ inputs: [{ shape: a }, { shape: b }], f: sub }),
        { hardware },
        12,
      ),
  );

  const numbers = { add, sub, mul, div, maximum, greater };
  const shapes = fc.array(uglySize, { maxLength: 3 });
  const cases = shapes.chain((shape) => fc.constantFrom(-3, -0.7, 0.1, 2).map((c) => ({ shape, c })));
  const apart = (r: Rng) => r.uniform(0.3, 2.5) * (r.uniform() < 0.5 ? -1 : 1); // of 0
  it.each(Object.entries(numbers))('%s of a tensor and a number, in both orders: GPU = mirror, gradients', (name, f) =>
    checkOp(
      fc.tuple(cases, fc.boolean()),
      ([{ shape, c }, first]) => ({ inputs: [{ shape, values: apart }], f: (x) => (first ? f(c, x) : f(x, c)) }),
      { gradient: name !== 'greater' },
    ),
  );

  it.each([
    [add, 5, 5],
    [sub, -1, 1],
    [mul, 6, 6],
    [div, 2 / 3, 1.5],
    [maximum, 3, 3],
    [greater, 0, 1],
  ] as const)('%o of 2 and 3, of numbers and of tensors', async (f, y, turned) => {
    const two = () => tensor(2);
    const made = on(await gpu(), () => [f(two(), 3), f(2, tensor(3)), f(2, 3), f(3, two()), f(tensor(3), 2)]);
    const [a, b, c, d, e] = await Promise.all(made.map((t) => t.item()));
    expect([a, b, c]).toEqual([Math.fround(y), Math.fround(y), Math.fround(y)]);
    expect([d, e]).toEqual([turned, turned].map(Math.fround));
  });

  it('a number is no dispatch and no memory of its own, and NaN and infinity pass through', async () => {
    const device = await gpu();
    const x = on(device, () => state(tensor([1, NaN, Infinity, -1])));
    const [dispatches, { inUse }] = [device.gpu.recorder.dispatches, device.memory()];
    const y = on(device, () => sub(2, x));
    expect(device.gpu.recorder.dispatches - dispatches).toBe(1);
    expect(device.memory().inUse - inUse).toBe(256);
    expect([...(await y.data())]).toEqual([1, NaN, -Infinity, 3]);
    expect([...(await on(device, () => maximum(x, 0)).data())]).toEqual([1, NaN, Infinity, 0]);
    expect([...(await on(device, () => greater(x, -Infinity)).data())]).toEqual([1, 0, 1, 1]);
  });

  it('a number that differs in a second compiled call is refused, as any value of the host', async () => {
    on(await gpu(), () => {
      let c = 1;
      const f = compile((x: Tensor) => mul(x, c++));
      f([1, 2]);
      expect(() => f([1, 2])).toThrow(
        /compile: the function must do the same in every call, on other inputs; got .*Pass what changes/,
      );
    });
  });

  it('names the shapes that do not fit', async () => {
    on(await gpu(), () =>
      expect(() => add(tensor([1, 2]), tensor([1, 2, 3]))).toThrow(
        'add: shapes must broadcast (equal sizes, or 1); got [2] and [3]',
      ),
    );
  });
});
