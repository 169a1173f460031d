import fc from 'fast-check';
import { describe, it } from 'vitest';
import { reshape } from '../../src/ops/reshape.js';
import { concat, expand, slice, transpose } from '../../src/ops/strided.js';
import { checkOp, uglySize } from '../support/op.js';

const exact = { relative: 1e-6, absolute: 0 };
const shapes = fc.array(uglySize, { minLength: 1, maxLength: 4 }).filter((s) => s.reduce((n, d) => n * d, 1) < 5000);

describe('strided copies', () => {
  it('transpose: GPU = mirror, gradients', () =>
    checkOp(
      shapes.chain((shape) =>
        fc
          .shuffledSubarray(
            shape.map((_, i) => i),
            { minLength: shape.length },
          )
          .map((order) => ({ shape, order })),
      ),
      ({ shape, order }) => ({ inputs: [{ shape }], f: (x) => transpose(x, order) }),
      exact,
    ));

  it('transposes of many tiles: whole ones, cut ones, several matrices, and a part of a matrix', () =>
    checkOp(
      fc
        .constantFrom([1, 68, 76], [3, 36, 44], [2, 36, 43])
        .chain((shape) => fc.constantFrom(0, 4).map((skip) => ({ shape, skip }))),
      ({ shape, skip }) => ({
        inputs: [{ shape }],
        f: (x) => transpose(skip ? slice(x, 1, 0, shape[1] - skip) : x, [0, 2, 1]),
      }),
      exact,
      6,
    ));

  it('slice: GPU = mirror, gradients', () =>
    checkOp(
      shapes.chain((shape) =>
        fc
          .nat(shape.length - 1)
          .chain((axis) =>
            fc
              .tuple(fc.nat(shape[axis]), fc.nat(shape[axis]))
              .map(([a, b]) => ({ shape, axis, from: Math.min(a, b), to: Math.max(a, b) })),
          ),
      ),
      ({ shape, axis, from, to }) => ({ inputs: [{ shape }], f: (x) => slice(x, axis, from, to) }),
      exact,
    ));

  it('concat: GPU = mirror, gradients', () =>
    checkOp(
      shapes.chain((shape) =>
        fc.record({
          shape: fc.constant(shape),
          axis: fc.nat(shape.length - 1),
          sizes: fc.array(uglySize, { minLength: 1, maxLength: 3 }),
        }),
      ),
      ({ shape, axis, sizes }) => ({
        inputs: sizes.map((n) => ({ shape: shape.map((d, i) => (i === axis ? n : d)) })),
        f: (...parts) => concat(parts, axis),
      }),
      exact,
      15,
    ));

  it('expand: GPU = mirror, gradients', () =>
    checkOp(
      shapes.chain((shape) =>
        fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }).map((ones) => ({ shape, ones })),
      ),
      ({ shape, ones }) => ({
        inputs: [{ shape: shape.map((d, i) => (ones[i] ? 1 : d)) }],
        f: (x) => expand(x, [2, ...shape]),
      }),
    ));

  it('reshape: gradients', () =>
    checkOp(shapes, (shape) => ({ inputs: [{ shape }], f: (x) => reshape(x, [1, x.size]) }), exact));
});
