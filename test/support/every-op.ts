import type { Rng } from '../../src/core/rng.js';
import { attention, attentionQkv } from '../../src/ops/attention.js';
import { attentionUnfused } from '../../src/ops/attention_unfused.js';
import { avgPool, globalAvgPool } from '../../src/ops/avg_pool.js';
import { batchNorm } from '../../src/ops/batch_norm.js';
import { add, div, greater, maximum, mul, sub } from '../../src/ops/binary.js';
import { cast } from '../../src/ops/cast.js';
import { conv2d, type StatisticsRequest } from '../../src/ops/conv2d.js';
import { crossEntropy } from '../../src/ops/cross_entropy.js';
import { gather } from '../../src/ops/gather.js';
import { infoNce } from '../../src/ops/info_nce.js';
import { l2Normalize } from '../../src/ops/l2_normalize.js';
import { layerNorm } from '../../src/ops/layer_norm.js';
import { linear } from '../../src/ops/linear.js';
import { matmul } from '../../src/ops/matmul.js';
import { maxPool } from '../../src/ops/max_pool.js';
import { pick } from '../../src/ops/pick.js';
import { argmax, max, mean, sum, variance } from '../../src/ops/reduce.js';
import { reshape } from '../../src/ops/reshape.js';
import { rowDot } from '../../src/ops/row_dot.js';
import { logSoftmax, softmax } from '../../src/ops/softmax.js';
import { concat, expand, slice, transpose } from '../../src/ops/strided.js';
import { clamp, exp, gelu, log, neg, relu, sigmoid, sqrt, tanh } from '../../src/ops/unary.js';
import { where } from '../../src/ops/where.js';
import { zeros } from '../../src/tensor/fill.js';
import { type Tensor, tensor } from '../../src/tensor/tensor.js';
import type { Input, OpCase } from './op.js';

/** Draws a size, at least `least` (0 if it is left out). */
export type Size = (least?: number) => number;

/** An operation on inputs of drawn sizes. Without a gradient where its result has none. */
export interface EveryOp {
  readonly name: string;
  readonly make: (size: Size) => OpCase;
  readonly gradient?: false;
}

/** Inputs that may be f16, and those that are f32. */
const floats = (...shapes: number[][]): Input[] => shapes.map((shape) => ({ shape, dtype: 'f16' }));
const f32s = (...shapes: number[][]): Input[] => shapes.map((shape) => ({ shape }));
const indices = (length: number, below: number): Input => ({
  shape: [length],
  dtype: 'u32',
  values: (_: Rng, i) => i % Math.max(1, below),
});

const elementwise = (f: Record<string, (x: Tensor) => Tensor>): EveryOp[] =>
  Object.entries(f).map(([name, op]) => ({ name, make: (size) => ({ inputs: floats([size(), size()]), f: op }) }));

/** Of two operands, in turn alike, with a last axis stretched, and with one repeated. */
const pairs = (f: Record<string, (a: Tensor, b: Tensor) => Tensor>, gradient?: false): EveryOp[] =>
  Object.entries(f).flatMap(([name, op]) =>
    [
      [1, 1],
      [1, 0],
      [0, 1],
    ].map(([rows, columns]) => ({
      name: `${name}, ${rows ? (columns ? 'alike' : 'a column') : 'a row'}`,
      gradient,
      make: (size: Size) => {
        const [R, C] = [size(), size()];
        return { inputs: floats([R, C], [rows ? R : 1, columns ? C : 1]), f: op };
      },
    })),
  );

const reductions = (f: Record<string, (x: Tensor, axes?: number | number[]) => Tensor>, least: number): EveryOp[] =>
  Object.entries(f).flatMap(([name, op]) =>
    [undefined, 0, 1, [0, 2]].map((axes) => ({
      name: `${name} over ${axes ?? 'all'}`,
      make: (size: Size) => ({
        inputs: floats([size(least), size(least), size(least)]),
        f: (x: Tensor) => op(x, axes),
      }),
    })),
  );

const products: EveryOp[] = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
].map(([transposeA, transposeB]) => ({
  name: `matmul ${'NT'[+transposeA]}${'NT'[+transposeB]}`,
  make: (size) => {
    const [M, N, K] = [size(), size(), size()];
    return {
      inputs: floats(transposeA ? [2, K, M] : [2, M, K], transposeB ? [N, K] : [K, N]),
      f: (a, b) => matmul(a, b, { transposeA, transposeB }),
    };
  },
}));

/**
 * Filters of 1 and of 3, strides, one group, two and as many as channels, with and without statistics of the result.
 */
const convolutions: EveryOp[] = [
  ['1×1', 1, 1],
  ['3×3', 3, 1],
  ['3×3 of stride 2', 3, 2],
].flatMap(([name, R, stride]) =>
  ['one', 'two', 'depthwise'].flatMap((kind) =>
    [false, true].map((statistics) => ({
      name: `conv2d ${name}, groups: ${kind}${statistics ? ', with statistics' : ''}`,
      make: (size: Size) => {
        const [N, side] = [size(), Math.min(9, size(1))];
        const C = size(1) * (kind === 'two' ? 2 : 1);
        const [O, groups] = kind === 'two' ? [2 * size(1), 2] : kind === 'one' ? [size(1), 1] : [C, C];
        const request: StatisticsRequest = { splits: 1 };
        return {
          inputs: floats([N, side, side + 1, C], [O, R as number, R as number, C / groups]),
          f: (x: Tensor, w: Tensor) =>
            conv2d(
              x,
              w,
              { stride: stride as number, padding: R === 3 ? 1 : 0, groups },
              statistics ? request : undefined,
            ),
        };
      },
    })),
  ),
);

const pictures = (size: Size): number[] => [size(), Math.min(7, size(1)), Math.min(7, size(1)), size()];
const pools: EveryOp[] = [
  {
    name: 'maxPool',
    make: (size) => ({ inputs: floats(pictures(size)), f: (x) => maxPool(x, { kernel: 2, padding: 1, stride: 1 }) }),
  },
  {
    name: 'avgPool',
    make: (size) => ({ inputs: floats(pictures(size)), f: (x) => avgPool(x, { kernel: 2, padding: 1, stride: 1 }) }),
  },
  {
    name: 'avgPool of what is there',
    make: (size) => ({
      inputs: floats(pictures(size)),
      f: (x) => avgPool(x, { kernel: 2, padding: 1, stride: 1, countIncludePad: false }),
    }),
  },
  { name: 'globalAvgPool', make: (size) => ({ inputs: floats(pictures(size)), f: globalAvgPool }) },
];

const ones = (C: number) => tensor(new Float32Array(C).fill(1), [C]);
const norms: EveryOp[] = [
  ...[
    [true, true],
    [false, false],
  ].map(
    ([train, relu]): EveryOp => ({
      name: `batchNorm in ${train ? 'training' : 'evaluation'}${relu ? ', relu' : ''}`,
      make: (size) => {
        const [N, L, C] = [2 * size(1), size(1), size()];
        return {
          inputs: [...floats([N, L, C]), ...f32s([C], [C])],
          f: (x, gamma, beta) =>
            batchNorm(x, {
              gamma,
              beta,
              train,
              relu,
              splits: N > 2 ? 2 : 1,
              runningMean: zeros([C]),
              runningVar: ones(C),
            }),
        };
      },
    }),
  ),
  {
    name: 'batchNorm with a residual',
    make: (size) => {
      const [N, C] = [2 * size(1), size()];
      return {
        inputs: floats([N, 3, C], [N, 3, C]),
        f: (x, residual) =>
          batchNorm(x, { train: true, residual, relu: true, runningMean: zeros([C]), runningVar: ones(C) }),
      };
    },
  },
  {
    name: 'layerNorm',
    make: (size) => {
      const C = size(1);
      return { inputs: [...floats([size(), C]), ...f32s([C], [C])], f: (x, gamma, beta) => layerNorm(x, gamma, beta) };
    },
  },
  { name: 'l2Normalize', make: (size) => ({ inputs: floats([size(), size(1)]), f: (x) => l2Normalize(x) }) },
];

const rows: EveryOp[] = [
  { name: 'softmax', make: (size) => ({ inputs: floats([size(), size(1)]), f: softmax }) },
  { name: 'logSoftmax', make: (size) => ({ inputs: floats([size(), size(1)]), f: logSoftmax }) },
  {
    name: 'crossEntropy',
    make: (size) => {
      const [N, C] = [size(1), size(1)];
      return { inputs: [...floats([N, C]), indices(N, C)], f: crossEntropy };
    },
  },
  {
    name: 'rowDot',
    make: (size) => {
      const shape = [size(), size()];
      return { inputs: floats(shape, shape), f: rowDot };
    },
  },
  {
    name: 'infoNce', // gradients flow to q alone
    make: (size) => {
      const [N, D] = [size(1), size(1)];
      return {
        inputs: [{ shape: [N, D] }, { shape: [N, D], grad: false }, { shape: [size(), D], grad: false }],
        f: (q, k, queue) => infoNce(q, k, queue, 0.2).loss,
      };
    },
  },
];

const attentions: EveryOp[] = [
  ['attention', attention],
  ['attentionUnfused', attentionUnfused],
].map(([name, f]) => ({
  name: name as string,
  make: (size) => {
    const [batch, Nq, Nk, D] = [Math.min(2, size()), size(), size(1), 2 * Math.min(16, size(1))];
    return {
      inputs: floats([batch, Nq, D], [batch, Nk, D], [batch, Nk, D]),
      f: (q, k, v) => (f as typeof attention)(q, k, v, { heads: 2 }),
    };
  },
}));

const places: EveryOp[] = [
  {
    name: 'concat',
    make: (size) => {
      const C = size();
      return { inputs: floats([size(), C], [size(), C]), f: (a, b) => concat([a, b]) };
    },
  },
  {
    name: 'expand',
    make: (size) => {
      const [R, C] = [size(), size()];
      return { inputs: floats([R, 1]), f: (x) => expand(x, [2, R, C]) };
    },
  },
  {
    name: 'slice',
    make: (size) => {
      const C = size(1);
      return { inputs: floats([size(), C]), f: (x) => slice(x, 1, C >> 1, C) };
    },
  },
  { name: 'transpose', make: (size) => ({ inputs: floats([size(), size(), size()]), f: (x) => transpose(x) }) },
  {
    name: 'reshape',
    make: (size) => {
      const [R, C] = [size(), size()];
      return { inputs: floats([R, C]), f: (x) => reshape(x, [C, R]) };
    },
  },
  {
    name: 'gather',
    make: (size) => {
      const R = size(1);
      return { inputs: [...floats([R, size()]), indices(size(), R)], f: gather };
    },
  },
  {
    name: 'pick',
    gradient: false,
    make: (size) => {
      const [R, C] = [size(), size(1)];
      return { inputs: [...f32s([R, C]), indices(R, C)], f: pick };
    },
  },
  {
    name: 'argmax over 0',
    gradient: false,
    make: (size) => ({ inputs: floats([size(1), size()]), f: (x) => argmax(x, 0) }),
  },
  {
    name: 'argmax over 1',
    gradient: false,
    make: (size) => ({ inputs: floats([size(), size(1)]), f: (x) => argmax(x, 1) }),
  },
  {
    name: 'cast of bytes',
    gradient: false,
    make: (size) => ({
      inputs: [{ shape: [size()], dtype: 'u8', values: (_, i) => i % 256 }],
      f: (x) => cast(x, 'f32'),
    }),
  },
  { name: 'cast to i32', gradient: false, make: (size) => ({ inputs: floats([size()]), f: (x) => cast(x, 'i32') }) },
];

/** Every operation with a result, over the variants that shapes and options choose between. */
export const everyOp: readonly EveryOp[] = [
  ...elementwise({ neg, exp, log, sqrt, relu, gelu, tanh, sigmoid, clamp: (x) => clamp(x, -1, 1) }),
  ...pairs({ add, sub, mul, div, maximum }),
  ...pairs({ greater }, false),
  ...elementwise({
    'a number less x': (x) => sub(2, x),
    'x times a number': (x) => mul(x, 0.7),
    'a number through x': (x) => div(0.5, x),
    'x or a number': (x) => maximum(x, 0.1),
  }),
  {
    name: 'where',
    make: (size) => {
      const shape = [size(), size()];
      return { inputs: [{ shape, values: (_, i) => i % 2, grad: false }, ...floats(shape, shape)], f: where };
    },
  },
  ...reductions({ sum, mean }, 0),
  ...reductions({ max, variance }, 1),
  ...products,
  {
    name: 'linear',
    make: (size) => {
      const [M, N, K] = [size(), size(), size()];
      return { inputs: floats([M, K], [N, K], [N]), f: (x, w, bias) => linear(x, w, bias) };
    },
  },
  ...convolutions,
  ...pools,
  ...norms,
  ...rows,
  ...attentions,
  {
    name: 'attentionQkv',
    make: (size) => ({
      inputs: floats([Math.min(2, size()), size(1), 3 * 2 * Math.min(8, size(1))]),
      f: (x) => attentionQkv(x, { heads: 2 }),
    }),
  },
  {
    name: 'attentionQkv, heads of 32',
    make: (size) => ({
      inputs: floats([Math.min(2, size()), size(1), 3 * 2 * 32]),
      f: (x) => attentionQkv(x, { heads: 2 }),
    }),
  },
  ...places,
];
