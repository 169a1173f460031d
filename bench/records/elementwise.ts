import { numel, type Shape } from '../../src/core/shape.js';
import { add, mul } from '../../src/ops/binary.js';
import { gelu, relu } from '../../src/ops/unary.js';
import { type One, oneCall } from '../one.js';
import type { Bench } from '../record.js';

const shown = (shapes: readonly Shape[]): string => shapes.map((s) => s.join('×')).join(' + ');

/** What is the same for all: the label, and every value read or written once. */
const of = (shapes: readonly Shape[], rest: Pick<One, 'ours' | 'tfjs' | 'jax'>): One => ({
  label: shown(shapes),
  bytes: 4 * (numel(shapes[0]) + shapes.reduce((sum, s) => sum + numel(s), 0)),
  shapes,
  ...rest,
});

const sums = { ours: add, tfjs: (tf, a, b) => tf.add(a, b), jax: (_, a, b) => a.add(b) } satisfies Partial<One>;
/** A number travels with the dispatch. */
const scaled = {
  ours: (x) => mul(x, 0.7),
  tfjs: (tf, x) => tf.mul(x, 0.7),
  jax: (_, x) => x.mul(0.7),
} satisfies Partial<One>;
const relus = { ours: relu, tfjs: (tf, x) => tf.relu(x), jax: ({ nn }, x) => nn.relu(x) } satisfies Partial<One>;
/** The erf form, which tfjs spells out. */
const gelus = {
  ours: gelu,
  tfjs: (tf, x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)),
  jax: ({ nn }, x) => nn.gelu(x, { approximate: false }),
} satisfies Partial<One>;

const rows = (full: boolean) => (full ? 65_536 : 4096);
const pair = (n: number, C: number, other: Shape) =>
  oneCall({
    ...of([[n, C], other], sums),
    small: () => of([[3, C], other.length === 2 ? [3, other[1]] : other], sums),
  });

export const addition: Bench = {
  name: 'add',
  cases: (full) => [[rows(full), 512], [512], [rows(full), 1]].map((other) => pair(rows(full), 512, other)),
};
export const scaling: Bench = {
  name: 'mul by a number',
  cases: (full) => [oneCall({ ...of([[rows(full), 512]], scaled), small: () => of([[1003]], scaled) })],
};
export const reluBench: Bench = {
  name: 'relu',
  cases: (full) => [oneCall({ ...of([[rows(full), 512]], relus), small: () => of([[1003]], relus) })],
};
export const geluBench: Bench = {
  name: 'gelu',
  cases: (full) => [oneCall({ ...of([[rows(full), 512]], gelus), small: () => of([[1003]], gelus) })],
};
