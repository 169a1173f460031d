import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add, div, greater, maximum, mul, sub } from '../../src/ops/binary.js';
import { tensor } from '../../src/tensor/tensor.js';
import { gpu, on } from '../support/devices.js';
import { checkOp, uglySize } from '../support/op.js';

/** Two shapes that broadcast: sizes of one shape, some replaced by 1 or dropped from the front. */
const pair = fc.array(uglySize, { maxLength: 4 }).chain((shape) =>
  fc.record({
    ones: fc.array(fc.constantFrom('keep', 'a', 'b'), { minLength: shape.length, maxLength: shape.length }),
    drop: fc.nat(shape.length),
    dropA: fc.boolean(),
  }).map(({ ones, drop, dropA }) => {
    const a = shape.map((d, i) => (ones[i] === 'a' ? 1 : d));
    const b = shape.map((d, i) => (ones[i] === 'b' ? 1 : d));
    return dropA ? { a: a.slice(drop), b } : { a, b: b.slice(drop) };
  }),
).filter(({ a, b }) => [a, b].every((s) => s.reduce((n, d) => n * d, 1) < 5000));

describe('binary', () => {
  it.each([['add', add], ['sub', sub], ['mul', mul], ['maximum', maximum]] as const)('%s: GPU = mirror, gradients', (_, f) =>
    checkOp(pair, ({ a, b }) => ({ inputs: [{ shape: a }, { shape: b }], f })));

  it('div: GPU = mirror, gradients', () =>
    checkOp(pair, ({ a, b }) => ({ inputs: [{ shape: a }, { shape: b, values: (r) => r.uniform(0.5, 2) * (r.uniform() < 0.5 ? -1 : 1) }], f: div })));

  it('greater: GPU = mirror', () => checkOp(pair, ({ a, b }) => ({ inputs: [{ shape: a }, { shape: b }], f: greater }), { gradient: false }));

  it.each([false, true])('many workgroups: rows, columns and strides, in fours and not; as on a graphics card: %s', (hardware) =>
    checkOp(fc.constantFrom(
      [[70, 68], [68]], [[70, 67], [67]], [[70, 68], [70, 1]], [[1, 68], [70, 1]], [[5, 1, 36], [5, 30, 36]], [[5, 30, 1], [1, 30, 36]], [[35, 3, 1], [3, 41]], [[3, 1100], [1100]],
    ), ([a, b]) => ({ inputs: [{ shape: a }, { shape: b }], f: sub }), { hardware }, 12));

  it('takes numbers', () => checkOp(fc.constant(0), () => ({ inputs: [{ shape: [5, 7] }], f: (x) => sub(1, mul(add(x, 2), 3)) })));

  it('names the shapes that do not fit', async () => {
    on(await gpu(), () => expect(() => add(tensor([1, 2]), tensor([1, 2, 3]))).toThrow('add: shapes must broadcast (equal sizes, or 1); got [2] and [3]'));
  });
});
