import { numel, type Shape } from '../../src/core/shape.js';
import { concat, slice, transpose } from '../../src/ops/strided.js';
import { type One, oneCall } from '../one.js';
import type { Bench } from '../record.js';

const turn = (shape: Shape, order: number[]): One => ({
  label: `${shape.join('×')} to ${order.join(' ')}`,
  bytes: 2 * 4 * numel(shape),
  shapes: [shape],
  ours: (x) => transpose(x, order),
  tfjs: (tf, x) => tf.transpose(x, order),
  jax: ({ numpy }, x) => numpy.transpose(x, order).add(0), // on its own it is a view
});

const half = (N: number, C: number): One => ({
  label: `${N}×${C}, the first half of the columns`,
  bytes: 4 * N * C,
  shapes: [[N, C]],
  ours: (x) => slice(x, 1, 0, C / 2),
  tfjs: (tf, x) => tf.slice(x, [0, 0], [N, C / 2]),
  jax: (_, x) => x.slice([], [0, C / 2]).add(0),
});

const beside = (N: number, C: number): One => ({
  label: `two of ${N}×${C} beside each other`,
  bytes: 4 * 4 * N * C,
  shapes: [
    [N, C],
    [N, C],
  ],
  ours: (a, b) => concat([a, b], 1),
  tfjs: (tf, a, b) => tf.concat([a, b], 1),
  jax: ({ numpy }, a, b) => numpy.concatenate([a, b], 1),
});

const more = (full: boolean) => (full ? 16 : 1);

export const transposes: Bench = {
  name: 'transpose',
  cases: (full) => [
    oneCall({ ...turn([1024 * more(full), 1024], [1, 0]), small: () => turn([36, 44], [1, 0]) }),
    oneCall({ ...turn([8 * more(full), 32, 32, 64], [0, 3, 1, 2]), small: () => turn([2, 5, 8, 12], [0, 3, 1, 2]) }),
    oneCall({ ...turn([16 * more(full), 196, 6, 64], [0, 2, 1, 3]), small: () => turn([2, 7, 3, 8], [0, 2, 1, 3]) }),
  ],
};
export const slices: Bench = {
  name: 'slice',
  cases: (full) => [oneCall({ ...half(4096 * more(full), 512), small: () => half(5, 512) })],
};
export const concats: Bench = {
  name: 'concat',
  cases: (full) => [oneCall({ ...beside(4096 * more(full), 256), small: () => beside(5, 256) })],
};
