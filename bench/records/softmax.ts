import { softmax } from '../../src/ops/softmax.js';
import { type One, oneCall } from '../one.js';
import type { Bench } from '../record.js';

export const over = (N: number, C: number): One => ({
  label: `${N}×${C}`,
  bytes: 2 * 4 * N * C,
  shapes: [[N, C]],
  ours: softmax,
  tfjs: (tf, x) => tf.softmax(x),
  jax: ({ nn }, x) => nn.softmax(x, 1),
});

export const bench: Bench = {
  name: 'softmax of rows',
  cases: (full) =>
    [
      [full ? 65_536 : 8192, 196],
      [full ? 2048 : 256, 4096],
      [full ? 256 : 32, 65_537],
    ].map(([N, C]) => oneCall({ ...over(N, C), small: () => over(3, C) })),
};
