import { encoderWeights } from '../../src/checkpoints/layout.js';
import { moduleTensors } from '../../src/checkpoints/module-state.js';
import * as lib from '../../src/index.js';
import { ByteReader } from '../../src/io/byte-reader.js';
import * as node from '../../src/node.js';
import type { Row } from './front-door.js';
import { base, pictures, v3 } from './short_run.js';

const { ones, tensor, Rng } = lib;
const t = (...shape: number[]) => ones(shape);
const u = (...values: number[]) => tensor(values, [values.length], 'u32');
const rng = () => new Rng(1);
const layer = () => new lib.Linear(3, 2, { seed: rng() });
const method = (name: string, call: Row['call'], args: () => unknown[], more: Partial<Row> = {}): [string, Row] => [
  name,
  { call, args, ...more },
];
const plain = (name: string, call: () => unknown): [string, Row] => [name, { call, args: () => [] }];

const modules: [string, Row][] = (
  [
    ['Conv2d', () => new lib.Conv2d(2, 3, 3, { seed: rng() }), () => t(1, 4, 4, 2)],
    ['Linear', layer, () => t(2, 3)],
    ['ReLU', () => new lib.ReLU(), () => t(2)],
    ['GELU', () => new lib.GELU(), () => t(2)],
    ['MaxPool2d', () => new lib.MaxPool2d(2), () => t(1, 4, 4, 2)],
    ['AvgPool2d', () => new lib.AvgPool2d(2), () => t(1, 4, 4, 2)],
    ['GlobalAvgPool2d', () => new lib.GlobalAvgPool2d(), () => t(1, 4, 4, 2)],
    ['Flatten', () => new lib.Flatten(), () => t(2, 3, 2)],
    ['Sequential', () => new lib.Sequential(layer()), () => t(2, 3)],
    ['BatchNorm', () => new lib.BatchNorm(3), () => t(4, 3)],
    ['LayerNorm', () => new lib.LayerNorm(3), () => t(2, 3)],
    ['ResNet', () => lib.resnet('resnet-tiny', { stem: 'small', dim: 2 }), () => t(1, 8, 8, 3)],
    ['VisionTransformer', () => lib.vit('vit-mini', { size: 8, dim: 2, depth: 1 }), () => t(1, 8, 8, 3)],
  ] as const
).flatMap(([name, make, x]) => [
  method(
    `${name}#forward`,
    (...a: [any]) => make().call(...a),
    () => [x()],
    {
      needed: 1,
      wrong: () => [[[1, 2]], [5], [t(7)].filter(() => !/LU$|Flatten/.test(name))].filter((a) => a.length),
      slow: /ResNet|Vision/.test(name),
    },
  ),
  ...(name === 'ResNet' || name === 'VisionTransformer'
    ? [
        method(
          `${name}#embed`,
          (...a: [any]) => (make() as lib.Encoder).embed(...a),
          () => [x()],
          { slow: true },
        ),
      ]
    : []),
]);

const convolution = () => ({ stride: 1, padding: 1, dilation: 1, groups: 1, bias: true, init: 'torch', bound: 0.1 });
const tiny = () => ({
  blocks: [1],
  widths: [4],
  stem: 'small',
  head: 'mlp',
  dim: 2,
  splits: 1,
  seed: 1,
  bottleneck: false,
  zeroInitResidual: true,
});
const small = () => ({
  width: 8,
  depth: 1,
  heads: 2,
  patch: 4,
  size: 8,
  head: 'linear',
  dim: 2,
  stem: 'patch',
  seed: 1,
  splits: 1,
  stopGradConv1: true,
});
const modelled = () => ({ head: 'linear', size: 8, stem: 'small', dim: 2, seed: 1, splits: 1 });
const nn: Record<string, Row> = {
  Module: { call: () => new (lib.Module as any)().call(t(1)), args: () => [], wrong: () => [[]] },
  ...Object.fromEntries([
    method(
      'Module#children',
      () => layer().children(),
      () => [],
    ),
    method(
      'Module#entries',
      (p) => layer().entries(p),
      () => ['a.'],
      { needed: 0 },
    ),
    plain('Module#parameters', () => layer().parameters()),
    plain('Module#call', () => layer().call(t(2, 3))),
    method(
      'Module#training=',
      (v) => (layer().training = v),
      () => [true],
      { wrong: () => [[1], [undefined]] },
    ),
    method(
      'Module#train',
      (v) => layer().train(v),
      () => [true],
      { needed: 0, wrong: () => [[1]] },
    ),
    plain('Module#eval', () => layer().eval()),
    plain('Sequential#children', () => new lib.Sequential(layer()).children()),
    ...modules,
  ]),
  summary: {
    call: lib.summary as Row['call'],
    args: () => [layer(), [2, 3]],
    wrong: () => [
      [layer(), 3],
      [layer(), [-1]],
      [layer(), [2, 4]],
      [{}, [2, 3]],
    ],
  },
  'Module#state': { call: () => layer().state(), args: () => [] },
  'Module#load': {
    call: (...a: [any]) => layer().load(...a),
    args: () => [layer().state(), { strict: true }],
    needed: 1,
    wrong: () => [[{}], [new Map()], [new Map([['weight', 5]])], [new lib.Linear(2, 2).state()]],
  },
  manualSeed: { call: lib.manualSeed, args: () => [7], wrong: () => [[-1], ['7'], [0.5]] },
  Conv2d: {
    call: (...a: [any, any, any]) => new lib.Conv2d(...a),
    args: () => [2, 4, 3, { ...convolution(), seed: 1 }],
    needed: 3,
    wrong: () => [
      [2, 4, 0],
      [1e12, 4, 3],
      [2, 3, 3, { groups: 2 }],
      [rng(), 2, 4, 3],
      [2, 4, 3, { seed: 'a' }],
    ],
  },
  Linear: {
    call: (...a: [any, any]) => new lib.Linear(...a),
    args: () => [3, 2, { bias: true, bound: 1, seed: rng() }],
    needed: 2,
    wrong: () => [
      [rng(), 3, 2],
      [0, 2],
      [3, NaN],
      [3, 2, false],
      [1e7, 1e7],
    ],
  },
  ReLU: { call: () => new lib.ReLU(), args: () => [] },
  GELU: { call: () => new lib.GELU(), args: () => [] },
  GlobalAvgPool2d: { call: () => new lib.GlobalAvgPool2d(), args: () => [] },
  Flatten: { call: () => new lib.Flatten(), args: () => [] },
  ...Object.fromEntries(
    (['MaxPool2d', 'AvgPool2d'] as const).map((name) => [
      name,
      {
        call: (...a: [any]) => new lib[name](...a),
        args: () => [2, { stride: 2, padding: 0 }],
        needed: 1,
        wrong: () => [[0], [2, { strides: 2 }], [2, 5]],
      } as Row,
    ]),
  ),
  Sequential: {
    call: (...a: any[]) => new lib.Sequential(...a),
    args: () => [layer()],
    needed: 1,
    wrong: () => [[[layer()]], [layer(), lib.relu]],
  },
  BatchNorm: {
    call: (...a: [any]) => new lib.BatchNorm(...a),
    args: () => [3, { splits: 1, affine: true, weight: 1 }],
    needed: 1,
    wrong: () => [[0], ['3'], [3, { split: 2 }], [3, 2], [1e12]],
  },
  convBn: {
    call: lib.convBn as Row['call'],
    args: () => [new lib.Conv2d(2, 3, 1), new lib.BatchNorm(3), t(2, 4, 4, 2), { relu: true }],
    needed: 3,
    wrong: () => [[layer(), new lib.BatchNorm(3), t(2, 3)]],
  },
  LayerNorm: {
    call: (...a: [any]) => new lib.LayerNorm(...a),
    args: () => [3, { eps: 1e-6 }],
    needed: 1,
    wrong: () => [[0], [[3]], [3, 1e-6], [3, { eps: -1 }]],
  },
  buildModel: {
    call: lib.buildModel,
    args: () => ['resnet-tiny', modelled()],
    slow: true,
    wrong: () => [
      ['resnet19', modelled()],
      ['vit-mini', { ...modelled(), size: 0 }],
      ['vit-mini', { ...modelled(), depth: 2 }],
    ],
  },
  ResNet: {
    call: (o) => new lib.ResNet(o),
    args: () => [tiny()],
    wrong: () => [
      [{ ...tiny(), widths: [1, 2] }],
      [{ ...tiny(), blocks: [], widths: [] }],
      [{ ...tiny(), stem: 'big' }],
      [18],
    ],
  },
  resnet: {
    call: lib.resnet,
    args: () => ['resnet-tiny', { dim: 2 }],
    needed: 1,
    slow: true,
    wrong: () => [['resnet'], ['resnet18', { blocks: [1] }], ['resnet-tiny', 5]],
  },
  VisionTransformer: {
    call: (o) => new lib.VisionTransformer(o),
    args: () => [small()],
    wrong: () => [
      [{ ...small(), heads: 3 }],
      [{ ...small(), patch: 3 }],
      [{ ...small(), width: 6, heads: 2 }],
      [{ ...small(), dropout: 0.1 }],
    ],
  },
  vit: {
    call: lib.vit,
    args: () => ['vit-mini', { size: 8, depth: 1 }],
    needed: 1,
    slow: true,
    wrong: () => [['vit'], ['vit-mini', { size: 9 }], ['vit-mini', 5]],
  },
  positionEmbedding: {
    call: lib.positionEmbedding,
    args: () => [2, 2, 4],
    wrong: () => [
      [2, 2, 6],
      [0, 2, 4],
      [2, 0.5, 4],
      [1e6, 1e6, 4],
    ],
  },
};

const trained = (of: (p: any) => lib.Optimizer) => {
  const optimizer = of(layer());
  return (lr: any) => optimizer.step(lr);
};
const opts = { momentum: 0.9, weightDecay: 0 };
const optimizers = (
  [
    ['SGD', lib.SGD, { ...opts, nesterov: false }],
    ['LARS', lib.LARS, { ...opts, trust: 0.001 }],
    ['AdamW', lib.AdamW, { weightDecay: 0, betas: [0.9, 0.999], eps: 1e-8 }],
  ] as const
).flatMap(([name, of, o]): [string, Row][] => {
  const make = (...a: unknown[]) => new (of as any)(...a);
  return [
    [
      name,
      {
        call: make,
        args: () => [layer(), o],
        wrong: () => [
          [{}, o],
          [[], o],
          [layer()],
          [layer(), { ...o, weightdecay: 1 }],
          [layer(), { ...o, weightDecay: NaN }],
          [layer(), { ...o, lr: -1 }],
          [layer(), 0.1],
        ],
      },
    ],
    [
      `${name}#step`,
      {
        call: (lr) => trained((m) => make(m, o))(lr),
        args: () => [0.1],
        wrong: () => [[-1], [NaN], ['0.1'], [t(2)], [u(1)]],
      },
    ],
    plain(`${name}#state`, () => make(layer(), o).state()),
    plain(`${name}#update`, () => make(layer(), { ...o, lr: 0.1 }).step()),
  ];
});
const scale = () => new lib.LossScale();
const optim: Record<string, Row> = {
  ...Object.fromEntries([
    ...optimizers,
    method(
      'LossScale#seed',
      (s) => scale().seed(s),
      () => [[1]],
      { wrong: () => [[[2]], [1]] },
    ),
    method(
      'LossScale#protect',
      (...a: [any, any]) => scale().protect(...a),
      () => [[new lib.BatchNorm(2)], [t(2)]],
      { needed: 1, wrong: () => [[[5]], [layer()], [[], [5]]] },
    ),
    plain('LossScale#keep', () => scale().keep()),
    method(
      'LossScale#test',
      (g) => scale().test(g),
      () => [t(4)],
      { wrong: () => [[5], [u(1)]] },
    ),
  ]),
  LossScale: {
    call: (...a: any[]) => new lib.LossScale(...a),
    args: () => [{ interval: 5, growth: 2, backoff: 0.5 }],
    needed: 0,
    wrong: () => [[{ backoff: 2 }], [{ scale: 1 }], [5]],
  },
  cosine: {
    call: lib.cosine,
    args: () => [1, 0.5],
    wrong: () => [
      [NaN, 0],
      [1, -1],
      ['1', 0],
    ],
  },
  warmupCosine: {
    call: lib.warmupCosine,
    args: () => [1, 1, 2, 10],
    wrong: () => [
      [1, 1, 10, 10],
      [1, -1, 2, 10],
      [1, 1, 2, NaN],
    ],
  },
  stepDecay: {
    call: lib.stepDecay,
    args: () => [1, 5, [2, 4], 0.1],
    needed: 3,
    wrong: () => [
      [1, 5, 2],
      [1, 5, ['a']],
      [NaN, 5, []],
    ],
  },
  momentumCosine: {
    call: lib.momentumCosine,
    args: () => [0.9, 1, 10],
    wrong: () => [
      [2, 1, 10],
      [0.9, 1, 0],
      [0.9, NaN, 10],
    ],
  },
  scaledRate: {
    call: lib.scaledRate,
    args: () => [0.03, 512],
    wrong: () => [
      [0.03, 0],
      ['0.03', 512],
      [0.03, Infinity],
    ],
  },
};

const sgd = (given: any) => new lib.SGD(given, opts);
const encoder = () => new lib.Sequential(layer());
const shared = { T: 0.1, optimizer: sgd };
const parts = () => [
  { x1: t(2, 3), x2: t(2, 3), index: u(0, 1), shuffle: u(1, 0), unshuffle: u(1, 0), negatives: u(0, 1) },
];
const rates = () => ({ lr: 0.1, m: 0.9 });
const methods = (
  [
    ['MoCo', lib.MoCo, [encoder, { ...shared, K: 4, dim: 2, seed: 1, symmetric: false }]],
    ['MoCoV3', lib.MoCoV3, [encoder, new lib.ReLU(), shared]],
    ['EndToEnd', lib.EndToEnd, [encoder, { ...shared, shared: true }]],
    ['MemoryBank', lib.MemoryBank, [encoder, { ...shared, pictures: 2, K: 2, dim: 2, loss: 'softmax', seed: 1 }]],
  ] as const
).flatMap(([name, of, args]): [string, Row][] => {
  const make = (...a: unknown[]) => new (of as any)(...a);
  const last = args.at(-1) as object;
  return [
    [
      name,
      {
        call: make,
        args: () => [...args],
        wrong: () => [
          [...args.slice(0, -1), { ...last, T: 0 }],
          [...args.slice(0, -1), { ...last, k: 4 }],
          [() => 5, ...args.slice(1)],
          [encoder(), ...args.slice(1)],
          [...args.slice(0, -1), { ...last, optimizer: sgd as unknown, T: NaN }],
        ],
      },
    ],
    [
      `${name}#step`,
      {
        call: (...a: [any, any]) => make(...args).step(...a),
        args: () => [parts(), rates()],
        wrong: () => [
          [[], rates()],
          [parts(), {}],
          [parts(), { lr: NaN, m: 0.9 }],
          [[{}], rates()],
          [parts(), 0.1],
        ],
      },
    ],
    [
      `${name}#chance`,
      {
        call: (n) => make(...args).chance(n),
        args: () => [4],
        needed: name === 'MoCo' || name === 'MemoryBank' ? 0 : 1,
        free: name === 'MoCo' || name === 'MemoryBank' ? [0] : [],
      },
    ],
    plain(`${name}#saved`, () => make(...args).saved()),
  ];
});

const labelled = pictures.train;
const features = (count = 4, size = 3) => ({
  values: Float32Array.from({ length: count * size }, (_, i) => Math.sin(i)),
  count,
  size,
  labels: new Uint32Array(count),
});
const config = () => ({ ...base });
const training = () => new lib.Pretraining(config(), pictures);
const model = () => lib.resnet('resnet-tiny', { stem: 'small', dim: 4 });
const supervised = () => ({
  ...lib.supervisedRecipe('resnet-tiny'),
  epochs: 1,
  batch: 4,
  size: 8,
  cropMin: 0.5,
  mean: base.mean,
  std: base.std,
  seed: 1,
});
const linear = () => ({ ...lib.linearRecipes.v1, epochs: 1, batch: 4, size: 8, mean: base.mean, std: base.std });
const four = () => ({
  resnet: 'resnet-tiny',
  vit: 'vit-mini',
  epochs: 1,
  pretrainEpochs: 1,
  batch: 4,
  size: 8,
  cropMin: 0.5,
  seeds: 1,
  seed: 1,
});
const study = () => ({ base: config(), Ks: [4], momenta: [0.9], endToEndLimit: 8, seeds: 1 });
const kept = lib.noCache;
const stored = () => new Map([['a', { dtype: 'F32' as const, shape: [2], data: new Float32Array(2) }]]);
const weights = async () => lib.encoderOf({ tensors: await moduleTensors(model()), metadata: {} }, 'file');
const report = () => ({
  title: 'a',
  command: 'a',
  config: {},
  adapter: 'a',
  version: '1',
  seed: 1,
  steps: [],
  knn: [],
  baselines: { k: 1, T: 1 },
  chanceLoss: 1,
  queueSize: 1,
  gallery: [],
  notes: [],
  elapsedSeconds: 1,
});
const tabled = () => ({ values: new Float32Array(6), count: 2, size: 3, names: ['a', 'b'] });
const cifar = () => new Uint8Array(3073);
const saved = () => new lib.MoCo(encoder, { ...shared, K: 4, dim: 2, seed: 1 });
const moco: Record<string, Row> = {
  ...Object.fromEntries(methods),
  createMethod: {
    call: lib.createMethod,
    args: () => [config(), 16],
    slow: true,
    wrong: () => [
      [{ ...config(), K: 0 }, 16],
      [{ ...config(), k: 1 }, 16],
      [config(), 0],
      [{ ...config(), ...v3, T: NaN }, 16],
      [{}, 16],
    ],
  },
  presetOf: { call: lib.presetOf, args: () => ['demo'], wrong: () => [['dem'], ['toString']] },
  Pretraining: {
    call: (...a: [any, any]) => new lib.Pretraining(...a),
    args: () => [config(), pictures, { ahead: 1 }],
    needed: 2,
    slow: true,
    wrong: () => [
      [{ ...config(), lr: NaN }, pictures],
      [config(), labelled],
      [config(), pictures, { ahead: -1 }],
      [config(), pictures, { look: 1 }],
      [{ ...config(), epocs: 1 }, pictures],
    ],
  },
  ...Object.fromEntries([
    method(
      'Pretraining#run',
      (h) => training().run(h),
      () => [{ signal: AbortSignal.abort() }],
      { needed: 0, slow: true, wrong: () => [[5], [{ onStep: 5 }], [{ onstep: () => {} }]] },
    ),
    method(
      'Pretraining#profile',
      (n) => training().profile(n),
      () => [1],
      { needed: 0, slow: true, wrong: () => [[0], ['1']] },
    ),
    method(
      'Pretraining#position=',
      (p) => (training().position = p),
      () => [{ step: 0 }],
      { slow: true, wrong: () => [[5], [{ step: -1 }]] },
    ),
    method(
      'Pretraining#goOn',
      (...a: [any]) => training().goOn(...a),
      () => [{ step: 0 }, []],
      { needed: 1, slow: true, wrong: () => [[5], [{ step: -1 }], [{ step: 0 }, 5]] },
    ),
    ...['features', 'knn', 'trial'].map((name) => plain(`Pretraining#${name}`, () => undefined)), // take no arguments
  ]),
  embedPictures: {
    call: lib.embedPictures,
    args: () => [model(), labelled, undefined, { size: 8, mean: base.mean, std: base.std }, 1],
    needed: 2,
    slow: true,
    wrong: () => [
      [layer(), labelled, undefined, base],
      [model(), labelled, undefined, {}],
      [model(), { ...labelled, count: 3 }, undefined, base],
    ],
  },
  pixelFeatures: {
    call: lib.pixelFeatures,
    args: () => [labelled, base.mean, base.std],
    wrong: () => [
      [labelled, [1], base.std],
      [labelled, base.mean, [0, 1, 1]],
    ],
  },
  supervisedRecipe: { call: lib.supervisedRecipe, args: () => ['resnet-tiny'], wrong: () => [['resnet19']] },
  trainClassifier: {
    call: lib.trainClassifier,
    args: () => [model(), pictures, supervised(), {}],
    needed: 3,
    slow: true,
    wrong: () => [
      [layer(), pictures, supervised()],
      [model(), pictures, { ...supervised(), lr: NaN }],
      [model(), pictures, { ...supervised(), weightdecay: 1 }],
      [
        model(),
        { train: { ...labelled, labels: new Uint32Array(16).fill(4) }, heldOut: pictures.heldOut },
        supervised(),
      ],
    ],
  },
  buildClassifier: {
    call: lib.buildClassifier,
    args: () => ['resnet-tiny', { classes: 2, size: 8, stem: 'small', seed: 1 }],
    slow: true,
    wrong: () => [
      ['resnet-tiny', { size: 8 }],
      ['resnet-tiny', { classes: 0, size: 8 }],
      ['resnet-tiny', { classes: 2, size: 8 }, {}],
    ],
  },
  fourWay: {
    call: lib.fourWay,
    args: () => [pictures, four(), kept, () => {}],
    slow: true,
    wrong: () => [
      [pictures, { ...four(), seeds: 0 }, kept, () => {}],
      [pictures, { ...four(), resnet: 'r' }, kept, () => {}],
    ],
  },
  standing: {
    call: lib.standing,
    args: () => [{ model: 'a', start: 'b', seeds: [1], curves: [[{ epoch: 1, loss: 1, accuracy: 1 }]] }],
    wrong: () => [[{ curves: [] }], [{ curves: [[]] }]],
  },
  mechanisms: {
    call: lib.mechanisms,
    args: () => [pictures, study(), kept, () => {}],
    slow: true,
    wrong: () => [
      [pictures, { ...study(), Ks: [0] }, kept, () => {}],
      [pictures, { ...study(), momenta: [2] }, kept, () => {}],
    ],
  },
  'noCache.result': { call: kept.result, args: () => [{}, () => 1], free: [0] },
  'noCache.tensors': { call: kept.tensors, args: () => [{}, () => 1], free: [0] },
  knnAccuracy: {
    call: lib.knnAccuracy,
    args: () => [features(), features(), { k: 2, T: 0.1 }],
    wrong: () => [
      [features(), features(), { k: 0, T: 1 }],
      [features(), features(), { k: 1, T: 0 }],
      [features(), features(4, 2), { k: 1, T: 1 }],
      [{ ...features(), labels: undefined }, features(), { k: 1, T: 1 }],
    ],
  },
  knnSweep: {
    call: lib.knnSweep,
    args: () => [features(), features(), [2], [0.1]],
    wrong: () => [
      [features(), features(), 2, [1]],
      [features(), features(), [], [1]],
      [features(), { ...features(), values: new Float32Array(11) }, [1], [1]],
    ],
  },
  nearestNeighbours: {
    call: lib.nearestNeighbours,
    args: () => [features(), features(), 2],
    wrong: () => [
      [features(), features(), 0],
      [features(), { ...features(), values: new Float32Array(3) }, 1],
    ],
  },
  linearProbe: {
    call: lib.linearProbe,
    args: () => [model(), { ...pictures, config: linear() }],
    slow: true,
    wrong: () => [
      [model(), { ...pictures, config: { ...linear(), epochs: 0 } }],
      [layer(), { ...pictures, config: linear() }],
      [model(), { ...pictures, config: { ...linear(), learningRate: 1 } }],
    ],
  },
  checkUnchanged: {
    call: lib.checkUnchanged,
    args: () => [layer(), new Map(), 'here'],
    wrong: () => [
      [layer(), {}, 'here'],
      [layer(), new Map(), 'here'],
    ],
  },
  loadCheckpoint: {
    call: lib.loadCheckpoint,
    args: () => [saved(), new Uint8Array(9), 'file'],
    wrong: () => [
      [saved(), 'file', 'file'],
      [layer(), new Uint8Array(9), 'file'],
    ],
  },
  saveCheckpoint: {
    call: lib.saveCheckpoint,
    args: () => [saved(), { a: 'b' }],
    wrong: () => [
      [saved(), { a: 1 }],
      [layer(), {}],
    ],
  },
  encoderWeights: {
    call: encoderWeights,
    args: () => [stored(), 'file'],
    wrong: () => [
      [stored(), 'file'],
      [new Map([['conv1.weight', 1]]), 'file'],
      [stored(), 'file', 'teacher.'],
    ],
  },
  torchWeights: {
    call: lib.torchWeights,
    args: () => [new Map(), 'file'],
    free: [0],
    wrong: () => [
      [new Map(), 'file'],
      [5, 'file'],
    ],
  },
  encoderOf: {
    call: lib.encoderOf,
    args: () => [{ tensors: new Map(), metadata: {} }, 'file', { size: 8 }],
    needed: 2,
    slow: true,
    wrong: () => [[{ tensors: {}, metadata: {} }, 'file']],
  },
  buildEncoder: {
    call: async (e, f) => lib.buildEncoder(e === 'right' ? await weights() : e, f),
    args: () => ['right', 'file'],
    slow: true,
    wrong: () => [
      [{}, 'file'],
      [{ tensors: new Map() }, 'file'],
    ],
  },
  onnxFolder: {
    call: async (e) => lib.onnxFolder(e === 'right' ? await weights() : e),
    args: () => ['right'],
    slow: true,
    wrong: () => [[{}], [{ tensors: new Map(), architecture: {} }]],
  },
  pca: {
    call: lib.pca,
    args: () => [features(), 2],
    needed: 1,
    wrong: () => [[features(), 4], [features(1)], [features(), 0.5]],
  },
  mapFeatures: { call: lib.mapFeatures, args: () => [features(), async () => undefined], needed: 1, slow: true },
};

const data: Record<string, Row> = {
  limitPerClass: {
    call: lib.limitPerClass,
    args: () => [labelled, 2, 1],
    wrong: () => [
      [labelled, 0, 1],
      [labelled, 2, NaN],
      [{ ...labelled, labels: new Uint32Array(16).fill(9) }, 2, 1],
    ],
  },
  selectClasses: {
    call: lib.selectClasses,
    args: () => [labelled, ['dots']],
    wrong: () => [
      [labelled, ['dot']],
      [labelled, 'dots'],
      [labelled, []],
    ],
  },
  splitHeldOut: {
    call: lib.splitHeldOut,
    args: () => [labelled, 0.5, 1],
    wrong: () => [
      [labelled, 2, 1],
      [labelled, NaN, 1],
      [labelled, 0.5, 0.5],
      [labelled.data, 0.5, 1],
    ],
  },
  subset: {
    call: lib.subset,
    args: () => [labelled, [0, 1]],
    wrong: () => [
      [labelled, [16]],
      [labelled, [-1]],
      [labelled, 1],
      [labelled, ['a']],
    ],
  },
  pictureAt: {
    call: lib.pictureAt,
    args: () => [labelled, 1],
    wrong: () => [
      [labelled, 16],
      [labelled, -1],
      [labelled.data, 0],
    ],
  },
  alignClasses: {
    call: lib.alignClasses,
    args: () => [labelled, labelled],
    wrong: () => [
      [{ ...labelled, classes: undefined }, labelled],
      [labelled, labelled.data],
      [5, labelled],
    ],
  },
  loadPictures: {
    call: lib.loadPictures,
    args: () => [labelled, [0, 1]],
    wrong: () => [
      [labelled, [16]],
      [{ ...labelled, data: undefined }, [0]],
    ],
  },
  syntheticPictures: {
    call: lib.syntheticPictures,
    args: () => [{ count: 1, size: 16, seed: 1 }],
    wrong: () => [
      [{ count: 0, seed: 1 }],
      [{ count: 1e12, seed: 1 }],
      [{ count: 1, size: 8, seed: 1 }],
      [{ count: 1 }],
      [{ number: 1, seed: 1 }],
    ],
  },
  parseCifar10: {
    call: lib.parseCifar10,
    args: () => [cifar(), 'file'],
    wrong: () => [
      [new Uint8Array(5), 'file'],
      [[1], 'file'],
      [cifar().fill(10), 'file'],
    ],
  },
  parseIdx: {
    call: lib.parseIdx,
    args: () => [Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 5), 'file'],
    wrong: () => [
      [new Uint8Array(5), 'file'],
      ['file', 'file'],
      [Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 5), 'file'],
    ],
  },
  decodeTorch: {
    call: lib.decodeTorch,
    args: () => [new Uint8Array(20), 'file'],
    wrong: () => [
      ['file', 'file'],
      [new Float32Array(3), 'file'],
    ],
  },
  TorchTensor: {
    call: (...a: [any, any]) => new lib.TorchTensor(...a),
    args: () => [new ByteReader(new Uint8Array(4), 'file'), []],
    wrong: () => [[], [5, []], [new ByteReader(new Uint8Array(4), 'file'), [1]]],
  },
  'TorchTensor#load': { call: () => undefined, args: () => [] },
  encodeNpy: {
    call: lib.encodeNpy,
    args: () => [new Float32Array(6), [2, 3]],
    wrong: () => [
      [new Float32Array(6), [2]],
      [[1, 2], [2]],
      [new Float32Array(6), 6],
    ],
  },
  embeddingsCsv: {
    call: lib.embeddingsCsv,
    args: () => [tabled()],
    wrong: () => [[{ ...tabled(), names: ['a'] }], [{ ...tabled(), size: 2 }], [{ ...tabled(), labels: ['a'] }]],
  },
  projectorFiles: {
    call: lib.projectorFiles,
    args: () => [tabled(), { height: 2, width: 2 }],
    wrong: () => [
      [tabled(), {}],
      [
        { ...tabled(), count: 3 },
        { height: 2, width: 2 },
      ],
      [tabled(), 2],
    ],
  },
  decodeSafetensors: {
    call: lib.decodeSafetensors,
    args: () => [lib.encodeSafetensors(stored()), 'file'],
    wrong: () => [
      [new Uint8Array(3), 'file'],
      ['file', 'file'],
    ],
  },
  encodeSafetensors: {
    call: lib.encodeSafetensors,
    args: () => [stored(), { a: 'b' }],
    needed: 1,
    wrong: () => [
      [{}],
      [new Map([['a', 5]])],
      [stored(), { a: 1 }],
      [new Map([['a', { dtype: 'F16', shape: [1], data: new Float32Array(1) }]])],
    ],
  },
  dataUri: {
    call: lib.dataUri,
    args: () => [new Uint8Array(2), 'image/png'],
    needed: 1,
    wrong: () => [[[1, 2]], ['ab'], [new Uint8Array(2), 5]],
  },
  encodePng: {
    call: lib.encodePng,
    args: () => [new Uint8Array(12), 2, 2],
    wrong: () => [
      [new Uint8Array(12), 2, 3],
      [[1, 2, 3], 1, 1],
      [new Uint8Array(0), 0, 0],
    ],
  },
  renderReport: {
    call: lib.renderReport,
    args: () => [report()],
    wrong: () => [[{}], [{ ...report(), steps: 5 }], [{ ...report(), notes: [5] }]],
  },
};

const info = () => ({ version: '1', adapter: 'a', command: 'c', data: 'drawn', choice: {}, config: config() });
const run = () => new node.Run('run', info() as any);
/** What the entry for Node adds; paths are relative to a folder of the test's own. */
export const inNode: Record<string, Row> = {
  openPictures: {
    call: node.openPictures,
    args: () => ['nothing', { size: 8 }],
    wrong: () => [['nothing'], ['.', { sizes: 8 }], ['.', { size: 0 }], ['.', { limitPerClass: -1 }]],
  },
  openSource: {
    call: node.openSource,
    args: () => ['nothing', { stream: true, room: 1 }],
    wrong: () => [['nothing'], ['.', { stream: 1 }], ['.', { room: -1 }]],
  },
  streamFolder: {
    call: node.streamFolder,
    args: () => ['nothing', { size: 8 }],
    wrong: () => [['nothing'], ['.', { classes: 'a' }]],
  },
  appendLine: {
    call: node.appendLine,
    args: () => ['lines.jsonl', { a: 1 }],
    free: [1],
    wrong: () => [['lines.jsonl'], ['lines.jsonl', () => 1]],
  },
  writeAtomic: {
    call: node.writeAtomic,
    args: () => ['file', 'text'],
    wrong: () => [['file', 5], ['file'], [5, 'text']],
  },
  EventFile: {
    call: (...a: [any, any]) => new node.EventFile(...a),
    args: () => ['.', 0],
    wrong: () => [
      ['nothing', 0],
      ['.', -1],
    ],
  },
  'EventFile#log': {
    call: (...a: [any, any]) => new node.EventFile('.', 0).log(...a),
    args: () => [1, { loss: { scalar: 1 } }],
    wrong: () => [
      [-1, {}],
      [1, 5],
      [1, { loss: 1 }],
      [1, { loss: { scalar: 'a' } }],
    ],
  },
  'EventFile#written': { call: () => undefined, args: () => [] },
  openRun: { call: node.openRun, args: () => ['nothing'], wrong: () => [['nothing']] },
  Run: { call: (...a: [any, any]) => new node.Run(...a), args: () => ['run', info()], wrong: () => [['run', {}]] },
  'Run#file': { call: (n) => run().file(n), args: () => ['a'], wrong: () => [[5]] },
  'Run#log': { call: (m) => run().log(m), args: () => [{ step: 1 }], wrong: () => [[5]] },
  'Run#written': { call: () => run().written(), args: () => [] },
  'Run#metrics': { call: () => run().metrics(), args: () => [] },
  'Run#open': { call: () => run().open(), args: () => [] },
  'Run#close': { call: () => run().close(), args: () => [] },
  'Run#savedStep': { call: () => run().savedStep(), args: () => [] },
  'Run#check': { call: () => run().check(), args: () => [] },
  'Run#history': { call: () => run().history(), args: () => [] },
  'Run#save': {
    call: (...a: [any, any]) => run().save(...a),
    args: () => [training(), { step: 1 }],
    slow: true,
    wrong: () => [
      [{}, { step: 1 }],
      [training(), {}],
    ],
  },
  'Run#resume': {
    call: (...a: [any]) => run().resume(...a),
    args: () => [training()],
    slow: true,
    wrong: () => [[{}]],
  },
  startRun: {
    call: node.startRun,
    args: () => ['new', info()],
    slow: true,
    wrong: () => [
      ['new', {}],
      [5, info()],
    ],
  },
  openEncoder: {
    call: node.openEncoder,
    args: () => ['nothing', { heads: 2 }],
    needed: 1,
    wrong: () => [
      ['nothing', { head: 2 }],
      ['nothing', 5],
    ],
  },
  readWeights: { call: node.readWeights, args: () => ['nothing'], wrong: () => [['nothing'], [5]] },
};

/** Every function of the main entry that is not the engine's. */
export const library: Record<string, Row> = { ...nn, ...optim, ...moco, ...data };
