import type { Rng } from '../../src/core/rng.js';
import type { Shape } from '../../src/core/shape.js';
import * as d from '../../src/index.js';
import type { Tensor } from '../../src/tensor/tensor.js';

/**
 * One op or layer with sizes and options: what it takes and makes. Its layer, if it has one, is shared by every use.
 */
export interface Use {
  shapes: Shape[];
  f: (...inputs: Tensor[]) => Tensor;
  layer?: d.Module;
  /** The same function without the roundings of f16, where those keep differences from being taken of f. */
  smooth?: (...inputs: Tensor[]) => Tensor;
}

/** Draws a use; everything follows from `rng`, so that each backend gets the same. */
export type Row = (rng: Rng) => Use;

const size = (rng: Rng): number => [1, 2, 3, 5][rng.below(4)];
const one = <T>(rng: Rng, ...of: T[]): T => of[rng.below(of.length)];
const positive = (x: Tensor): Tensor => d.add(d.mul(x, x), 0.3);
const constant = (values: ArrayLike<number>, shape: Shape): Tensor =>
  d.state(d.tensor(Float32Array.from(values), shape));
const places = (rng: Rng, length: number, below: number): Tensor<'u32'> =>
  d.state(d.tensor(Uint32Array.from({ length }, () => rng.below(below))));
const normals = (rng: Rng, ...shape: number[]): Tensor =>
  constant(
    Array.from({ length: shape.reduce((a, b) => a * b) }, () => rng.normal()),
    shape,
  );

/** Two shapes that broadcast together. */
function pair(rng: Rng): Shape[] {
  const [a, b] = [size(rng), size(rng)];
  return one<Shape[]>(
    rng,
    [
      [a, b],
      [a, b],
    ],
    [[a, b], [b]],
    [[a, 1], [b]],
    [[], [a, b]],
    [[b], [a, 1, b]],
  );
}

const unary =
  (f: (x: Tensor) => Tensor): Row =>
  (rng) => ({ shapes: [[size(rng), size(rng)]], f });
const binary =
  (f: (a: Tensor, b: Tensor) => Tensor): Row =>
  (rng) => ({ shapes: pair(rng), f });
const reduction =
  (f: (x: Tensor, axes?: number[], keep?: boolean) => Tensor): Row =>
  (rng) => {
    const [axes, keep] = [one(rng, undefined, [0], [1], [0, 2]), one(rng, true, false)];
    return { shapes: [[size(rng), 2, size(rng)]], f: (x) => f(x, axes, keep) };
  };

function matmul(rng: Rng): Use {
  const [M, K, N, batch] = [size(rng), size(rng), size(rng), size(rng)];
  const options = { transposeA: one(rng, true, false), transposeB: one(rng, true, false) };
  const [a, b] = [options.transposeA ? [K, M] : [M, K], options.transposeB ? [N, K] : [K, N]];
  const shapes = one<Shape[]>(
    rng,
    [a, b],
    [
      [batch, ...a],
      [batch, ...b],
    ],
    [[batch, ...a], b],
    [a, [batch, ...b]],
    [
      [3, 3],
      [3, 3],
    ],
  );
  return { shapes, f: (x, y) => d.matmul(x, y, options) };
}

function conv2d(rng: Rng): Use {
  const [groups, C, O, R] = [one(rng, 1, 2), one(rng, 2, 4), one(rng, 2, 4), one(rng, 1, 3)];
  const options = { stride: one(rng, 1, 2), padding: one(rng, 1, 0), groups };
  return {
    shapes: [
      [size(rng), 3, 4, C],
      [O, R, R, C / groups],
    ],
    f: (x, w) => d.conv2d(x, w, options),
  };
}

function batchNorm(rng: Rng): Use {
  const [affine, add, train, relu, C] = [...Array.from({ length: 4 }, () => rng.below(2) === 1), size(rng)] as [
    boolean,
    boolean,
    boolean,
    boolean,
    number,
  ];
  const shape = [4, 1, 2, C];
  const [runningMean, runningVar] = [constant(new Array(C).fill(0.1), [C]), constant(new Array(C).fill(1.5), [C])];
  const shapes = [shape, ...(affine ? [[C], [C]] : []), ...(add ? [shape] : [])];
  const splits = one(rng, 1, 2);
  const f = (x: Tensor, ...rest: Tensor[]) => {
    const [gamma, beta] = affine ? rest : [];
    return d.batchNorm(x, {
      gamma,
      beta,
      residual: add ? rest.at(-1) : undefined,
      relu,
      train,
      splits,
      runningMean,
      runningVar,
    });
  };
  return { shapes, f };
}

const pooling =
  (f: typeof d.maxPool): Row =>
  (rng) => {
    const options = { kernel: one(rng, 2, 3), stride: one(rng, 1, 2), padding: 1 };
    return { shapes: [[size(rng), 3, 4, one(rng, 1, 3, 4)]], f: (x) => f(x, options) };
  };

const attention =
  (f: typeof d.attention): Row =>
  (rng) => {
    const [batch, Nq, heads] = [size(rng), size(rng), one(rng, 1, 2)];
    const kv = [batch, one(rng, Nq, size(rng)), 4];
    return { shapes: [[batch, Nq, 4], kv, kv], f: (q, k, v) => f(q, k, v, { heads }) };
  };

const layer = (shape: Shape, of: d.Module): Use => ({ shapes: [shape], layer: of, f: (x) => of.call(x) });
const { Rng: Draws } = d;
const drawsOf = (rng: Rng) => new Draws(rng.below(1 << 16), 'layer');

function batchNormLayer(rng: Rng): Use {
  const [conv, norm] = [new d.Conv2d(2, 3, 1, { seed: drawsOf(rng) }), new d.BatchNorm(3, { splits: one(rng, 1, 2) })];
  norm.train(rng.below(3) > 0);
  const relu = rng.below(2) === 1;
  return { shapes: [[2, 2, 3, 2]], layer: new d.Sequential(conv, norm), f: (x) => d.convBn(conv, norm, x, { relu }) };
}

/** By the name of an export, how it is used. */
export const rows: Record<string, Row> = {
  add: binary(d.add),
  sub: binary(d.sub),
  mul: binary(d.mul),
  div: binary((a, b) => d.div(a, positive(b))),
  maximum: binary(d.maximum),
  where: (rng) => ({
    shapes: [[3, 1], ...pair(rng).map((s) => (s.length === 2 ? [3, s[1]] : [1]))],
    f: (c, a, b) => d.where(d.greater(c, 0), a, b),
  }),
  clamp: unary((x) => d.clamp(x, -0.5, 0.8)),
  exp: unary((x) => d.exp(d.tanh(x))),
  gelu: unary(d.gelu),
  log: unary((x) => d.log(positive(x))),
  neg: unary(d.neg),
  relu: unary(d.relu),
  sigmoid: unary(d.sigmoid),
  sqrt: unary((x) => d.sqrt(positive(x))),
  tanh: unary(d.tanh),
  max: reduction(d.max),
  mean: reduction(d.mean),
  sum: reduction(d.sum),
  variance: reduction(d.variance),
  linear: (rng) => {
    const [M, K, N] = [size(rng), size(rng), size(rng)];
    return { shapes: [[M, K], [N, K], ...(rng.below(3) > 0 ? [[N]] : [])], f: (x, w, bias) => d.linear(x, w, bias) };
  },
  matmul,
  conv2d,
  batchNorm,
  layerNorm: (rng) => {
    const C = size(rng);
    return { shapes: [[size(rng), C], [C], [C]], f: (x, gamma, beta) => d.layerNorm(x, gamma, beta, { eps: 0.1 }) };
  },
  maxPool: pooling(d.maxPool),
  avgPool: pooling(d.avgPool),
  globalAvgPool: (rng) => ({ shapes: [[size(rng), 2, 3, size(rng)]], f: d.globalAvgPool }),
  logSoftmax: unary(d.logSoftmax),
  softmax: unary(d.softmax),
  attention: attention(d.attention),
  attentionUnfused: attention(d.attentionUnfused),
  attentionQkv: (rng) => {
    const heads = one(rng, 1, 2);
    return { shapes: [[size(rng), size(rng), 12]], f: (x) => d.attentionQkv(x, { heads }) };
  },
  at: () => ({ shapes: [[3, 4]], f: (x) => d.at(x, '::-1', [0, 2, 2]) }),
  mse: () => ({
    shapes: [
      [2, 3],
      [2, 3],
    ],
    f: (x, target) => d.mse(x, target),
  }),
  crossEntropy: (rng) => {
    const [N, C] = [size(rng), size(rng)];
    const labels = places(rng, N, C);
    return { shapes: [[N, C]], f: (x) => d.crossEntropy(x, labels) };
  },
  l2Normalize: unary((x) => d.l2Normalize(d.add(x, 2))),
  rowDot: (rng) => {
    const shape = [size(rng), size(rng)];
    return { shapes: [shape, shape], f: d.rowDot };
  },
  concat: (rng) => ({
    shapes: [
      [2, size(rng)],
      [2, size(rng)],
      [2, size(rng)],
    ],
    f: (...parts) => d.concat(parts, 1),
  }),
  expand: (rng) => {
    const [a, b] = [size(rng), size(rng)];
    return { shapes: [one(rng, [a, 1], [1, b], [a, b])], f: (x) => d.expand(x, [2, a, b]) };
  },
  slice: (rng) => {
    const from = rng.below(3);
    return { shapes: [[size(rng), 5]], f: (x) => d.slice(x, 1, from, from + 2) };
  },
  transpose: (rng) => ({ shapes: [[size(rng), 2, size(rng)]], f: (x) => d.transpose(x, [2, 0, 1]) }),
  reshape: (rng) => ({ shapes: [[size(rng), 2, size(rng)]], f: (x) => d.reshape(x, [2, -1]) }),
  gather: (rng) => {
    const [rows, index] = [size(rng), places(rng, 4, size(rng))];
    return { shapes: [[rows, size(rng)]], f: (x) => d.gather(x, index) };
  },
  cast: (rng) => ({
    shapes: [[size(rng), size(rng)]],
    f: (x) => d.cast(d.cast(x, x.backend.f16 ? 'f16' : 'f32'), 'f32'),
    smooth: (x) => x,
  }),
  infoNce: (rng) => {
    const [N, D] = [size(rng), size(rng)];
    const [positives, queue] = [normals(rng, N, D), normals(rng, 3, D)];
    return { shapes: [[N, D]], f: (q) => d.infoNce(q, positives, queue, 0.7).loss };
  },

  Conv2d: (rng) =>
    layer([2, 3, 3, 2], new d.Conv2d(2, 3, 3, { padding: 1, bias: one(rng, true, false), seed: drawsOf(rng) })),
  Linear: (rng) =>
    layer(one(rng, [2, 3], [2, 2, 3]), new d.Linear(3, 2, { bias: one(rng, true, false), seed: drawsOf(rng) })),
  ReLU: () => layer([2, 3], new d.ReLU()),
  Sequential: (rng) =>
    layer(
      [2, 3],
      new d.Sequential(new d.Linear(3, 3, { seed: drawsOf(rng) }), new d.ReLU(), new d.LayerNorm(3, { eps: 0.1 })),
    ),
  BatchNorm: batchNormLayer,
  GELU: () => layer([2, 3], new d.GELU()),
  MaxPool2d: () => layer([1, 4, 4, 2], new d.MaxPool2d(2)),
  AvgPool2d: () => layer([1, 4, 4, 2], new d.AvgPool2d(2)),
  GlobalAvgPool2d: () => layer([2, 2, 3, 2], new d.GlobalAvgPool2d()),
  Flatten: () => layer([2, 3, 2], new d.Flatten()),
  LayerNorm: () => layer([2, 5], new d.LayerNorm(5, { eps: 0.1 })),
  ResNet: (rng) =>
    layer([2, 6, 6, 3], new d.ResNet({ blocks: [1], widths: [4], stem: 'small', dim: 3, seed: rng.below(99) })),
  VisionTransformer: (rng) =>
    layer(
      [2, 4, 4, 3],
      new d.VisionTransformer({
        width: 4,
        depth: 1,
        heads: 2,
        patch: 2,
        size: 4,
        dim: 3,
        stopGradConv1: one(rng, true, false),
        seed: rng.below(99),
      }),
    ),
};

/** Exports that take tensors and make none that carries a gradient, and why. */
export const without: Record<string, string> = {
  mask: 'its result comes later: it is `at` of places that are read first',
  ...Object.fromEntries(
    ['greater', 'argmax', 'pick'].map((name) => [
      name,
      'what it makes is constant wherever it has a slope, or said to have none',
    ]),
  ),
  ...Object.fromEntries(
    ['bankWrite', 'queueWrite', 'ema', 'lossScale', 'restore', 'sgd', 'lars', 'adamw'].map((name) => [
      name,
      'changes its tensors in place',
    ]),
  ),
  ...Object.fromEntries(['augment', 'normalizePictures'].map((name) => [name, 'reads pictures, which are u8'])),
  ...Object.fromEntries(
    ['larsTable', 'cifarAugmentation', 'sampleAugmentation', 'mocoV1Augmentation', 'mocoV2Augmentation'].map((name) => [
      name,
      'makes tables on the host',
    ]),
  ),
  ...Object.fromEntries(['selfCheck', 'withPrecision'].map((name) => [name, 'runs other operations'])),
};
