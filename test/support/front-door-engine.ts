import * as lib from '../../src/index.js';
import { methods } from '../../src/ops/methods.js';
import { reference } from './devices.js';
import type { Row } from './front-door.js';

const { ones, zeros, tensor } = lib;

/** Functions of one float tensor, or of two, and what else they take. */
const t = (...shape: number[]) => ones(shape);
const u = (...values: number[]) => tensor(values, [values.length], 'u32');
const one = (call: Row['call'], ...more: unknown[]): Row => ({
  call,
  args: () => [t(2, 3), ...more],
  needed: 1,
  wrong: () => [[5], [u(1)], [[1, 2]]],
});
const two = (call: Row['call']): Row => ({
  call,
  args: () => [t(2, 3), t(3)],
  wrong: () => [
    ['a', 1],
    [t(2, 3), NaN],
    [t(2), t(3)],
    [u(1), 1],
  ],
});
const update = () => [t(4), t(4), zeros([4]), tensor([0.1])];
const guard = () => ones([1]);
const normal = { mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] };
const bytes = (...shape: number[]) => tensor(new Uint8Array(shape.reduce((a, b) => a * b, 1)).fill(9), shape);
const table = () => tensor(new Float32Array(18).fill(1), [1, 18]);
const draw = () => ({ seed: 1, epoch: 0, view: 0, indices: [0, 1], height: 4, width: 4 });
const error = (call: new (message: string) => Error): Row => ({
  call: (m) => new call(m),
  args: () => ['text'],
  needed: 0,
  free: [0],
  slow: true,
});
const times = () => [{ op: 'a', kernel: 'a', start: 0, microseconds: 1, bytes: 1, flops: 1, groups: 1 }];

/** Every function of the engine's entry. */
const functions: Record<string, Row> = {
  DawngradError: error(lib.DawngradError),
  ShapeError: error(lib.ShapeError),
  DTypeError: error(lib.DTypeError),
  ConfigError: error(lib.ConfigError),
  DeviceError: error(lib.DeviceError),
  FormatError: error(lib.FormatError),
  DivergedError: error(lib.DivergedError),
  DeviceLostError: error(lib.DeviceLostError),
  Rng: {
    call: (...a: [number]) => new lib.Rng(...a),
    args: () => [1, 'stream', 2],
    needed: 1,
    wrong: () => [[NaN], [0.5], ['1'], [1, {}], [1, 0, Infinity]],
  },
  'Rng#bits': { call: () => new lib.Rng(1).bits(), args: () => [] },
  'Rng#uniform': {
    call: (...a) => new lib.Rng(1).uniform(...a),
    args: () => [0, 1],
    needed: 0,
    wrong: () => [
      [NaN, 1],
      ['0', 1],
    ],
  },
  'Rng#below': { call: (n) => new lib.Rng(1).below(n), args: () => [3], wrong: () => [[0], [0.5], [NaN], [-1]] },
  'Rng#normal': { call: () => new lib.Rng(1).normal(), args: () => [] },
  'Rng#permutation': {
    call: (n) => new lib.Rng(1).permutation(n),
    args: () => [3],
    wrong: () => [[-1], [0.5], [NaN], [1e12]],
  },
  device: {
    call: lib.device,
    args: () => [{ backend: 'reference' }],
    needed: 0,
    slow: true,
    wrong: () => [[{ backend: 'cpu' }], [{ adapter: 'gpu' }], [{ robust: 1 }], [{ device: 'gpu' }]],
  },
  tune: { call: lib.tune, args: () => [reference, 1, () => {}], needed: 1, wrong: () => [[reference], [{}], [5]] },
  backend: { call: lib.backend, args: () => [] },
  useBackend: { call: lib.useBackend, args: () => [reference], needed: 0, wrong: () => [[{}], [5], ['gpu']] },
  empty: {
    call: lib.empty,
    args: () => [[2, 3], 'f32'],
    needed: 1,
    wrong: () => [[3], [[-1]], [[0.5]], [[2], 'float32'], [[1e12]], [[1, 1, 1, 1, 1, 1, 1]]],
  },
  parameter: { call: lib.parameter, args: () => [t(2)], wrong: () => [[u(1)], [[1, 2]], [5]] },
  state: { call: lib.state, args: () => [t(2)], wrong: () => [[[1, 2]], [5]] },
  Tensor: {
    call: (...a: [any, any, any, any]) => new lib.Tensor(...a),
    args: () => [[1], 'f32', reference, reference.alloc('f32', 1)],
    slow: true,
    wrong: () => [[], [[1], 'float'], [[1, 2], 'f32']],
  },
  'Tensor#data': { call: () => t(2).data(), args: () => [] },
  'Tensor#item': { call: () => t(1).item(), args: () => [] },
  'Tensor#set': {
    call: (v) => t(2).set(v),
    args: () => [[1, 2]],
    wrong: () => [[[1]], [[1, 'a']], [5], [[1, undefined]], [new BigInt64Array(2)]],
  },
  'Tensor#detach': { call: () => t(2).detach(), args: () => [] },
  'Tensor#moveTo': {
    call: (...a: [any, any]) => t(2).moveTo(...a),
    args: () => [t(2), () => {}],
    wrong: () => [
      [t(3), () => {}],
      [t(2), 5],
    ],
  },
  'Tensor#toString': { call: () => t(2).toString(), args: () => [] },
  'Tensor#array': { call: () => t(2).array(), args: () => [] },
  'Tensor#text': { call: () => t(2).text(), args: () => [] },
  tensor: {
    call: lib.tensor,
    args: () => [[1, 2, 3, 4], [2, 2], 'f32'],
    needed: 1,
    wrong: () => [
      [[[1, 2], [3]]],
      [[1, [2]]],
      [[1], [1], 'float32'],
      [[1.5], [1], 'i32'],
      [[-1], [1], 'u32'],
      [[1, undefined]],
      [['a']],
      ['ab'],
      [[1, 2], [3]],
      [new Int16Array(2)],
      [[1], { dtype: 'int' }],
      [[1], { shape: [2] }],
      [[1], { type: 'u32' }],
      [[1], 'u32'],
    ],
  },
  full: {
    call: lib.full,
    args: () => [[2], 1, 'f32'],
    needed: 2,
    wrong: () => [
      [2, 1],
      [[2], '1'],
      [[2], 0.5, 'i32'],
      [[2], -1, 'u32'],
      [[2], 1, 'float'],
    ],
  },
  ones: { call: lib.ones, args: () => [[2], 'f32'], needed: 1, wrong: () => [[2], [[-2]], [[2], 'int32']] },
  zeros: { call: lib.zeros, args: () => [[2], 'f32'], needed: 1, wrong: () => [[2], [[-2]], [[2], 'torch.float32']] },
  scalar: { call: lib.scalar, args: () => [2, 'f32'], needed: 1, wrong: () => [['2'], [[2]], [2, 'double']] },
  tidy: { call: lib.tidy, args: () => [() => t(2)], wrong: () => [[t(2)], [async () => t(2)]] },
  compile: {
    call: (f) => lib.compile(f)(t(2), 1, [1, 2]),
    args: () => [(x: lib.Tensor) => lib.relu(x)],
    wrong: () => [[async () => t(2)], [5]],
  },
  'compile()': {
    call: lib.compile((x: lib.Tensor) => x),
    args: () => [[1, 2]],
    wrong: () => [['a'], [{ a: ['b'] }], [[1, undefined]], [lib.parameter(t(2))], [new Int16Array(1)]],
  },
  HostArray: {
    call: (...a: [any, any]) => new lib.HostArray(...a),
    args: () => [
      [1, 2, 3, 4],
      [2, 2],
    ],
    needed: 1,
    wrong: () => [['a'], [5], [[1, 'a']], [new Int16Array(2)], [[1, 2], [3]], [[1, 2], 2], [[1, 2], [-2]]],
  },
  profile: {
    call: lib.profile,
    args: () => [lib.compile((x: lib.Tensor) => x), [1], 3],
    needed: 2,
    wrong: () => [
      [() => 1, [1]],
      [lib.compile((x: lib.Tensor) => x), 1],
    ],
  },
  chromeTrace: { call: lib.chromeTrace, args: () => [times()], wrong: () => [[5], [[5]]] },
  measureCeiling: { call: lib.measureCeiling, args: () => [undefined], wrong: () => [[reference], [{}]] },
  dependsOn: {
    call: lib.dependsOn,
    args: () => [{}, () => 1],
    free: [0],
    wrong: () => [
      [5, () => 1],
      [{}, 5],
    ],
  },
  onReplay: { call: lib.onReplay, args: () => [() => {}] },
  backward: {
    call: (...a: [any]) => lib.backward(...a),
    args: () => [lib.sum(lib.parameter(t(2))), tensor(1)],
    needed: 1,
    wrong: () => [[t(2)], [5], [t(1), 2], [t(1), t(3)]],
  },
  noGrad: { call: lib.noGrad, args: () => [() => t(2)], wrong: () => [[t(2)], [async () => t(2)]] },
  record: {
    call: lib.record,
    args: () => ['a', t(2), [t(2)], () => []],
    free: [0],
    wrong: () => [
      ['a', 1, [], () => []],
      ['a', t(2), [5], () => []],
      ['a', t(2), [], 5],
      ['a', t(2), 5, () => []],
    ],
  },
  zeroGrad: { call: lib.zeroGrad, args: () => [[t(2)]], wrong: () => [[5], [[5]], [t(2)]] },

  add: two(lib.add),
  sub: two(lib.sub),
  mul: two(lib.mul),
  div: two(lib.div),
  greater: two(lib.greater),
  maximum: two(lib.maximum),
  where: {
    call: lib.where,
    args: () => [t(2), t(2), t(2)],
    wrong: () => [
      [t(2), t(3), t(2)],
      [u(1), t(1), t(1)],
      [true, t(2), t(2)],
    ],
  },
  clamp: {
    call: lib.clamp,
    args: () => [t(2), 0, 1],
    wrong: () => [
      [t(2), 1, 0],
      [t(2), NaN, 1],
      [t(2), '0', 1],
      [t(2), 0],
    ],
  },
  exp: one(lib.exp),
  gelu: one(lib.gelu),
  log: one(lib.log),
  neg: one(lib.neg),
  relu: one(lib.relu),
  sigmoid: one(lib.sigmoid),
  sqrt: one(lib.sqrt),
  tanh: one(lib.tanh),
  argmax: {
    call: lib.argmax,
    args: () => [t(2, 3), 1],
    wrong: () => [
      [t(2, 3), 2],
      [t(2, 3), 0.5],
      [zeros([2, 0]), 1],
    ],
  },
  max: one(lib.max, 1, false),
  mean: one(lib.mean, 1, false),
  sum: one(lib.sum, 1, false),
  variance: one(lib.variance, 1, false, 0),
  linear: {
    call: lib.linear,
    args: () => [t(2, 3), t(4, 3), t(4), { precision: 'f32' }],
    needed: 2,
    wrong: () => [
      [t(2, 3), t(4, 2)],
      [t(2, 3), t(4, 3), t(3)],
      [t(2, 3), t(4, 3), null],
      [t(2, 3), t(4, 3), t(4), { precision: 'half' }],
    ],
  },
  matmul: {
    call: lib.matmul,
    args: () => [t(2, 3), t(3, 4), { transposeA: false }],
    needed: 2,
    wrong: () => [
      [t(2, 3), t(2, 3)],
      [t(3), t(3, 2)],
      [t(2, 3), t(3, 4), { transpose: true }],
      [t(2, 3), t(3, 4), true],
    ],
  },
  withPrecision: {
    call: lib.withPrecision,
    args: () => ['f32', () => t(2)],
    wrong: () => [['half', () => 1], ['f32', async () => 1], ['f16']],
  },
  conv2d: {
    call: lib.conv2d,
    args: () => [t(1, 4, 4, 2), t(3, 3, 3, 2), { stride: 1, padding: 1, dilation: 1, groups: 1 }],
    needed: 2,
    wrong: () =>
      [{ stride: 0 }, { padding: -1 }, { stride: [1, 2, 3] }, { groups: 0.5 }, { strides: 2 }, 2, { stride: NaN }].map(
        (o) => [t(1, 4, 4, 2), t(3, 3, 3, 2), o],
      ),
  },
  batchNorm: {
    call: lib.batchNorm,
    args: () => [
      tensor([
        [1, 2, 4],
        [3, 1, 2],
      ]),
      {
        runningMean: zeros([3]),
        runningVar: t(3),
        train: true,
        gamma: t(3),
        beta: t(3),
        momentum: 0.1,
        eps: 1e-5,
        splits: 1,
      },
    ],
    wrong: () =>
      [
        { runningMean: zeros([3]), runningVar: t(3) },
        { runningMean: zeros([3]), runningVar: t(3), train: true, gamma: null, beta: null },
        5,
      ].map((o) => [t(4, 3), o]),
  },
  layerNorm: {
    call: lib.layerNorm,
    args: () => [
      tensor([
        [1, 2, 4],
        [3, 1, 2],
      ]),
      t(3),
      t(3),
      { eps: 1e-5 },
    ],
    needed: 3,
    wrong: () => [
      [t(2, 3), t(3), t(3), 1e-5],
      [t(2, 3), t(2), t(3)],
      [t(2, 3), t(3), t(3), { epsilon: 1 }],
    ],
  },
  maxPool: {
    call: lib.maxPool,
    args: () => [t(1, 4, 4, 2), { kernel: 2, stride: 2, padding: 1 }],
    wrong: () => [
      [t(1, 4, 4, 2), 0],
      [t(1, 4, 4, 2), {}],
      [t(4), 2],
      [t(1, 4, 4, 2), { kernel: 2, strid: 1 }],
    ],
  },
  avgPool: {
    call: lib.avgPool,
    args: () => [t(1, 4, 4, 2), { kernel: 2, countIncludePad: true }],
    wrong: () => [
      [t(1, 4, 4, 2), 0],
      [t(1, 4, 4, 2), '2'],
      [t(1, 4, 4, 2), { kernel: 2, countIncludePad: 1 }],
    ],
  },
  globalAvgPool: one((x) => lib.globalAvgPool(lib.reshape(x, [1, 1, 2, 3]))),
  softmax: one(lib.softmax),
  logSoftmax: one(lib.logSoftmax),
  attention: {
    call: lib.attention,
    args: () => [t(1, 2, 4), t(1, 3, 4), t(1, 3, 4), { heads: 2, scale: 1 }],
    needed: 3,
    wrong: () => [
      [t(1, 2, 4), t(1, 3, 4), t(1, 2, 4)],
      [t(1, 2, 4), t(1, 3, 4), t(1, 3, 4), 2],
    ],
  },
  attentionQkv: {
    call: lib.attentionQkv,
    args: () => [t(1, 2, 6), { heads: 2 }],
    needed: 1,
    wrong: () => [[t(1, 2, 6), { heads: 4 }], [t(1, 2, 6), 2], [t(6)]],
  },
  attentionUnfused: {
    call: lib.attentionUnfused,
    args: () => [t(1, 2, 4), t(1, 3, 4), t(1, 3, 4), { heads: 2, scale: 1 }],
    needed: 3,
    wrong: () => [
      [t(1, 2, 4), t(1, 3, 4), t(1, 2, 4)],
      [t(4), t(4), t(4)],
    ],
  },
  crossEntropy: {
    call: lib.crossEntropy,
    args: () => [t(2, 3), u(0, 2)],
    wrong: () => [
      [t(2, 3), [0, 3]],
      [t(2, 3), [-1, 0]],
      [t(2, 3), t(2)],
      [t(2, 3), [0.5, 1]],
      [t(2, 3), u(1)],
    ],
  },
  mse: {
    call: lib.mse,
    args: () => [t(2, 3), t(2, 3)],
    wrong: () => [
      [t(2), t(3)],
      [u(1), t(1)],
    ],
  },
  l2Normalize: {
    call: lib.l2Normalize,
    args: () => [t(2, 3), 1e-12],
    needed: 1,
    wrong: () => [[t(2, 3), 0], [t(2, 3), NaN], [t(2, 3), '1'], [5]],
  },
  rowDot: {
    call: lib.rowDot,
    args: () => [t(2, 3), t(2, 3)],
    wrong: () => [
      [t(2, 3), t(3)],
      [t(2, 3), 1],
    ],
  },
  concat: {
    call: lib.concat,
    args: () => [[t(2), t(2)], 0],
    needed: 1,
    wrong: () => [[[]], [t(2)], [[t(2), 5]], [[t(2), t(2)], 1]],
  },
  expand: {
    call: lib.expand,
    args: () => [t(1, 3), [2, 3]],
    wrong: () => [
      [t(2), [3]],
      [t(2), 3],
      [t(1), [1e12]],
    ],
  },
  at: {
    call: lib.at,
    args: () => [t(2, 3), 0, '::2'],
    needed: 1,
    wrong: () => [
      [t(2), 2],
      [t(2), 0, 0],
      [t(2), '1'],
      [t(2), [0.5]],
      [t(2), {}],
      [t(2), [[true]]],
      [t(2), t(2)],
    ],
  },
  mask: {
    call: lib.mask,
    args: () => [t(2, 3), t(2)],
    wrong: () => [
      [t(2, 3), t(3)],
      [t(2), [1, 0]],
      [5, t(2)],
    ],
  },
  slice: {
    call: lib.slice,
    args: () => [t(4), 0, 1, 3],
    wrong: () => [
      [t(4), 1, 0, 1],
      [t(4), 0, 3, 1],
      [t(4), 0, 0, 5],
      [t(4), 0, 0.5, 1],
    ],
  },
  transpose: {
    call: lib.transpose,
    args: () => [t(2, 3), [1, 0]],
    needed: 1,
    wrong: () => [
      [t(2, 3), [0]],
      [t(2, 3), [0, 0]],
      [t(2, 3), 1],
      [t(2, 3), 'ab'],
    ],
  },
  reshape: {
    call: lib.reshape,
    args: () => [t(2, 3), [3, 2]],
    wrong: () => [
      [t(2, 3), 6],
      [t(2, 3), [4]],
      [t(2, 3), [-1, -1]],
      [t(2, 3), ['6']],
    ],
  },
  gather: {
    call: lib.gather,
    args: () => [t(2, 3), u(0, 1)],
    wrong: () => [
      [t(2, 3), [2]],
      [t(2, 3), [-1]],
      [t(2, 3), t(1)],
      [tensor(1), u(0)],
    ],
  },
  cast: {
    call: lib.cast,
    args: () => [t(2), 'i32'],
    wrong: () => [
      [t(2), 'u8'],
      [t(2), 'float16'],
      [t(2), 16],
    ],
  },
  infoNce: {
    call: lib.infoNce,
    args: () => [t(2, 3), t(2, 3), t(4, 3), 0.1],
    wrong: () => [0, -1, NaN, Infinity, '1'].map((T) => [t(2, 3), t(2, 3), t(4, 3), T]),
  },
  bankWrite: {
    call: lib.bankWrite,
    args: () => [t(4, 3), t(1, 3), u(2), guard()],
    needed: 3,
    wrong: () => [
      [t(4, 3), t(1, 3), [4]],
      [t(4, 3), t(1, 3), [-1]],
      [t(4, 3), t(1, 3), u(2), 0],
    ],
  },
  pick: {
    call: lib.pick,
    args: () => [t(2, 3), u(0, 2)],
    wrong: () => [
      [t(2, 3), [0, 3]],
      [t(2, 3), t(2)],
      [zeros([2, 0]), u(0, 0)],
    ],
  },
  queueWrite: {
    call: lib.queueWrite,
    args: () => [t(4, 3), t(2, 3), u(0), guard()],
    needed: 3,
    wrong: () => [
      [t(4, 3), t(2, 3), t(1)],
      [t(4, 3), t(2, 3), 0],
      [t(4, 3), t(2, 3), u(0), null],
    ],
  },
  selfCheck: { call: lib.selfCheck, args: () => [reference], slow: true, wrong: () => [[{}], [5]] },
  ema: {
    call: lib.ema,
    args: () => [t(2), t(2), tensor([0.9])],
    wrong: () => [
      [t(2), t(2), 1.5],
      [t(2), t(2), NaN],
      [t(2), t(3), 0.9],
      [t(2), t(2), t(2)],
    ],
  },
  lossScale: {
    call: lib.lossScale,
    args: () => [t(4), t(4), t(1), { interval: 5, growth: 2, backoff: 0.5 }],
    needed: 3,
    wrong: () => [
      [t(4), t(3), t(1)],
      [t(4), t(4), t(1), { interval: 0 }],
      [t(4), t(4), t(1), { grow: 2 }],
    ],
  },
  restore: {
    call: lib.restore,
    args: () => [t(2), t(2), guard()],
    wrong: () => [
      [t(2), t(3), guard()],
      [t(2), t(2), 1],
    ],
  },
  sgd: {
    call: lib.sgd,
    args: () => [...update(), { momentum: 0.9, weightDecay: 0, nesterov: true }],
    wrong: () =>
      [
        { weightdecay: 1 },
        { momentum: -1, weightDecay: 0 },
        { momentum: NaN, weightDecay: 0 },
        { momentum: 0, weightDecay: 0, nesterov: true },
        0.9,
      ].map((o) => [...update(), o]),
  },
  lars: {
    call: lib.lars,
    args: () => [
      t(4),
      t(4),
      zeros([4]),
      lib.larsTable([{ start: 0, length: 4, adapted: true }]),
      tensor([0.1]),
      { momentum: 0.9, weightDecay: 0, trust: 1 },
    ],
    wrong: () => [[t(4), t(4), zeros([4]), {}, 0.1, { momentum: 0.9, weightDecay: 0 }]],
  },
  larsTable: {
    call: lib.larsTable,
    args: () => [[{ start: 0, length: 4, adapted: true }]],
    wrong: () => [[5], [[5]], [[{ start: 1, length: 4, adapted: true }]], [[{ start: 0 }]]],
  },
  adamw: {
    call: lib.adamw,
    args: () => [
      t(4),
      t(4),
      { m: zeros([4]), v: zeros([4]), corrections: zeros([2]) },
      tensor([0.1]),
      { weightDecay: 0.1, betas: [0.9, 0.99], eps: 1e-8 },
    ],
    wrong: () =>
      [
        { weightDecay: 0, betas: [0.9] },
        { weightDecay: 0, betas: 0.9 },
        { weightDecay: 0, betas: [1, 1] },
      ].map((o) => [t(4), t(4), { m: zeros([4]), v: zeros([4]), corrections: zeros([2]) }, 0.1, o]),
  },
  augment: {
    call: lib.augment,
    args: () => [bytes(1, 4, 4, 3), u(0), table(), { size: 2, ...normal }],
    wrong: () => [
      [bytes(1, 4, 4, 3), [1], table(), { size: 2, ...normal }],
      ...[{ size: 0, ...normal }, { size: 2, ...normal, std: [0, 1, 1] }, { size: 2 }, 2].map((o) => [
        bytes(1, 4, 4, 3),
        u(0),
        table(),
        o,
      ]),
    ],
  },
  normalizePictures: {
    call: lib.normalizePictures,
    args: () => [bytes(1, 4, 4, 3), u(0), { size: 2, ...normal }],
    wrong: () => [
      [bytes(1, 4, 4, 3), [1], normal],
      [bytes(1, 4, 4, 3), u(0), {}],
      [t(1, 4, 4, 3), u(0), normal],
    ],
  },
  sampleAugmentation: {
    call: lib.sampleAugmentation,
    args: () => [lib.mocoV2Augmentation, draw()],
    wrong: () => [
      [lib.mocoV2Augmentation, { ...draw(), view: 16 }],
      [lib.mocoV2Augmentation, { ...draw(), indices: [-1] }],
      [{ ...lib.mocoV2Augmentation, flip: 2 }, draw()],
      [{ ...lib.mocoV2Augmentation, blur: { probability: 1 } }, draw()],
    ],
  },
};

/** The same as methods of a tensor, but for those whose operands come in another order or shape. */
const asMethods = Object.entries(functions).filter(
  ([name]) => name in methods && name !== 'where' && name !== 'globalAvgPool',
);
const method =
  (name: string) =>
  (x: lib.Tensor, ...rest: unknown[]) =>
    (lib.Tensor.prototype as any)[name].call(x, ...rest);

export const engine: Record<string, Row> = {
  ...functions,
  ...Object.fromEntries(asMethods.map(([name, row]) => [`Tensor#${name}`, { ...row, call: method(name), slow: true }])),
  'Tensor#where': {
    call: method('where'),
    args: () => [t(2), t(2), t(2)],
    slow: true,
    wrong: () => [
      [t(2), t(3), t(2)],
      [t(1), u(1), t(1)],
    ],
  },
  'Tensor#globalAvgPool': {
    call: method('globalAvgPool'),
    args: () => [t(1, 2, 2, 1)],
    slow: true,
    wrong: () => [[t(2, 2)], [5]],
  },
};
