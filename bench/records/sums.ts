import { numel, type Shape } from '../../src/core/shape.js';
import { cast } from '../../src/ops/cast.js';
import { argmax, max, sum } from '../../src/ops/reduce.js';
import { type One, oneCall } from '../one.js';
import type { Bench } from '../record.js';

/** One reduction of every kind; `axis` undefined means all axes. */
const reduction = (shape: Shape, axis: number | undefined, rest: Pick<One, 'ours' | 'tfjs' | 'jax'>): One => ({
  label: `${shape.join('×')} over ${axis === undefined ? 'all' : axis === 0 ? 'rows' : 'columns'}`,
  bytes: 4 * numel(shape),
  shapes: [shape],
  ...rest,
});

const sumOver = (shape: Shape, axis?: number): One =>
  reduction(shape, axis, {
    ours: (x) => sum(x, axis),
    tfjs: (tf, x) => tf.sum(x, axis),
    jax: ({ numpy }, x) => numpy.sum(x, axis),
  });
const maxOver = (shape: Shape, axis?: number): One =>
  reduction(shape, axis, {
    ours: (x) => max(x, axis),
    tfjs: (tf, x) => tf.max(x, axis),
    jax: ({ numpy }, x) => numpy.max(x, axis),
  });
const argmaxOver = (shape: Shape, axis: number): One =>
  reduction(shape, axis, {
    ours: (x) => cast(argmax(x, axis), 'f32'),
    tfjs: (tf, x) => tf.argMax(x, axis),
    jax: ({ numpy }, x) => numpy.argmax(x, axis),
  });

const shapes = (full: boolean): Shape[] => [
  [full ? 65_536 : 8192, 512],
  [512, full ? 65_536 : 8192],
];

export const sums: Bench = {
  name: 'sum',
  cases: (full) =>
    shapes(full).flatMap((s) =>
      [0, 1, undefined].map((axis) => oneCall({ ...sumOver(s, axis), small: () => sumOver([s[0] / 8, 36], axis) })),
    ),
};
export const maxima: Bench = {
  name: 'max',
  cases: (full) =>
    [0, 1].map((axis) => oneCall({ ...maxOver(shapes(full)[0], axis), small: () => maxOver([700, 36], axis) })),
};
export const places: Bench = {
  name: 'argmax',
  cases: (full) =>
    [0, 1].map((axis) => oneCall({ ...argmaxOver(shapes(full)[0], axis), small: () => argmaxOver([700, 36], axis) })),
};
