import { copyPrimitive } from '../src/backend/ceiling.js';
import type { GpuBackend } from '../src/backend/gpu.js';
import { compile } from '../src/compile/compile.js';
import type { PretrainConfig } from '../src/moco/config.js';
import { createMethod } from '../src/moco/create.js';
import { presets } from '../src/moco/presets.js';
import { attentionQkv } from '../src/ops/attention.js';
import { mul } from '../src/ops/binary.js';
import { cast } from '../src/ops/cast.js';
import { withPrecision } from '../src/ops/precision.js';
import { parameter, state, type Tensor, tensor } from '../src/tensor/tensor.js';
import { gradientsOf } from './gradients.js';
import { oneCall } from './one.js';
import type { Case, Work } from './record.js';
import { convolution } from './records/conv2d.js';
import { contrast } from './records/losses.js';
import { product } from './records/matmul.js';
import { over } from './records/softmax.js';
import { values } from './values.js';

/** One line of the card's table. */
export interface Row {
  readonly name: string;
  /** What is timed, with its inputs on the device. */
  readonly work: (on: GpuBackend) => Work<Tensor>;
  readonly flops?: number;
  readonly bytes?: number;
  /** How many of what is named a call does. */
  readonly each?: number;
  /** On an NVIDIA H200: dawngrad at commit 6ecaadb, what it must reach, and PyTorch 2.11 the same day. */
  readonly was?: string;
  readonly must?: string;
  readonly pytorch?: string;
}

type Told = Pick<Row, 'was' | 'must' | 'pytorch'>;

/** Everything a card is asked, in order of worth; `tiny` sizes take seconds on a software adapter. */
export const cardRows = (tiny: boolean): Row[] => [
  ...products(tiny),
  ...convolutions(tiny),
  ...trainingSteps(tiny),
  ...attention(tiny),
  ofCase('softmax of rows, 65,536×196', oneCall(over(tiny ? 8 : 65_536, 196)), { was: '0.18 ms' }),
  ofCase('softmax of rows, 2048×4096', oneCall(over(tiny ? 8 : 2048, tiny ? 64 : 4096)), { was: '0.24 ms' }),
  ofCase('InfoNCE and gradient, 256 of 65,536', tiny ? contrast(4, 8, 16) : contrast(256, 128, 65_536), {
    was: '0.96 ms',
    must: '0.3 ms',
  }),
  copy(tiny ? 2 ** 16 : 2 ** 28),
  chain(tiny ? 8 : 1000),
];

const ofCase = (name: string, { ours, flops, bytes }: Case, told: Told): Row => ({
  name,
  work: ours,
  flops,
  bytes,
  ...told,
});

function products(tiny: boolean): Row[] {
  const size = tiny ? 8 : 4096;
  const was = { f16: ['62', '77', '101'], f32: ['33.3', '32.8', '33.4'] };
  return ([true, false] as const).flatMap((half) =>
    (['NN', 'NT', 'TN'] as const).map((layout, i) =>
      ofCase(
        `product 4096³ ${layout}, ${half ? 'f16' : 'f32'}`,
        product({ M: size, N: size, K: size, tA: layout === 'TN', tB: layout === 'NT', half }),
        { was: `${was[half ? 'f16' : 'f32'][i]} TFLOP/s`, must: half ? '240 TFLOP/s' : '45, on matrices 90 TFLOP/s' },
      ),
    ),
  );
}

/** A 3×3 convolution of each stage of a ResNet, one with stride 2, and a first layer. */
const shapes = [
  { H: 28, C: 128, O: 128, R: 3, stride: 1 },
  { H: 56, C: 64, O: 64, R: 3, stride: 1 },
  { H: 14, C: 256, O: 256, R: 3, stride: 1 },
  { H: 7, C: 512, O: 512, R: 3, stride: 1 },
  { H: 56, C: 128, O: 128, R: 3, stride: 2 },
  { H: 224, C: 3, O: 64, R: 7, stride: 2 },
];

function convolutions(tiny: boolean): Row[] {
  const reached = {
    f16: { forward: ['81', '150'], dX: ['48', '130'], dW: ['55', '120'] },
    f32: { forward: ['25', '60'], dX: ['24', '60'], dW: ['24', '60'] },
  };
  return [true, false].flatMap((half) =>
    (tiny ? shapes.slice(0, 1) : shapes).flatMap(({ H, C, O, R, stride }) =>
      (['forward', 'dX', 'dW'] as const)
        .filter((part) => C > 3 || part !== 'dX')
        .map((part) => {
          const [was, must] = reached[half ? 'f16' : 'f32'][part];
          const s = { H, C, O, R, stride, half, what: 'ResNet' };
          return ofCase(
            `conv ${part} ${H}², ${C}→${O}, ${R}×${R}${stride > 1 ? `/${stride}` : ''}, ${half ? 'f16' : 'f32'}`,
            convolution(part, tiny ? { ...s, N: 1, H: 7, C: 4, O: 4 } : { ...s, N: 256 }),
            C > 3 ? { was: `${was} TFLOP/s in a step`, must: `${must} TFLOP/s` } : {},
          );
        }),
    ),
  );
}

function trainingSteps(tiny: boolean): Row[] {
  const row = (name: string, config: PretrainConfig, told: Told): Row => ({
    name: `step, ${name}`,
    work: (on) => {
      if (config.precision === 'f16' && !on.f16)
        throw new Error(`f16: the adapter must have shader-f16; got ${on.name}`);
      return step(tiny ? { ...presets.demo, batch: 4, size: 8, precision: config.precision } : config);
    },
    ...told,
  });
  const [r50, vit] = [presets['v2-r50'], { ...presets['v3-vit-s'], batch: 256 }];
  return [
    row('MoCo v2 ResNet-50, 256 of 224², f16', { ...r50, precision: 'f16' }, ms('209', '95', 'fp16 62.2, bf16 80.6')),
    row('MoCo v2 ResNet-50, 256 of 224², f32', r50, ms('395', '170', 'fp32 316, TF32 156')),
    row('MoCo v3 ViT-S, 256 of 224², f16', { ...vit, precision: 'f16' }, ms('452', '190', 'bf16 121')),
    row('MoCo v3 ViT-S, 256 of 224², f32', vit, ms('889', '380', 'fp32 573, TF32 281')),
    row('CIFAR ResNet-18, 512 of 32², f32', presets['cifar-r18'], ms('100', '40', 'fp32 72, TF32 30')),
    row('CIFAR ResNet-18, 512 of 32², f16', { ...presets['cifar-r18'], precision: 'f16' }, { was: '54 ms' }),
  ];
}

const ms = (was: string, must: string, pytorch: string): Told => ({
  was: `${was} ms`,
  must: `${must} ms`,
  pytorch: `${pytorch} ms`,
});

/** A whole step on views that are on the device. */
function step(config: PretrainConfig): Work<Tensor> {
  const { batch: N, size, precision } = config;
  const method = createMethod(config, N);
  const shape = [N, size, size, 3];
  const [x1, x2] = [1, 2].map((seed) => state(tensor(values(shape, seed), shape)));
  const order = (f: (i: number) => number) => state(tensor(Uint32Array.from({ length: N }, (_, i) => f(i))));
  const [index, shuffle] = [order((i) => i), order((i) => N - 1 - i)];
  const [lr, m] = [1e-3, 0.99].map((v) => state(tensor([v])));
  const run = compile(() =>
    withPrecision(precision, () => method.step([{ x1, x2, index, shuffle, unshuffle: shuffle }], { lr, m })),
  );
  return () => [run()];
}

function attention(tiny: boolean): Row[] {
  const [batch, T] = tiny ? [1, 5] : [256, 197];
  return [true, false].flatMap((half) =>
    [
      { heads: 6, d: 64 },
      { heads: 12, d: 32 },
    ].flatMap(({ heads, d }) => {
      const inputs = () =>
        [
          [batch, T, 3 * heads * d],
          [batch, T, heads * d],
        ].map((shape, i) => (half ? cast : (t: Tensor) => t)(tensor(values(shape, i + 1), shape), 'f16'));
      const product = 2 * batch * heads * T * T * d;
      const name = `T 197, batch 256, ${heads} heads of ${d}, ${half ? 'f16' : 'f32'}`;
      const told = { was: '12 TFLOP/s', must: half ? '60 TFLOP/s' : undefined };
      const forward = () => {
        const x = state(inputs()[0]);
        return () => [attentionQkv(x, { heads })];
      };
      const backward = () => {
        const [x, dy] = inputs();
        const y = state(attentionQkv(parameter(x), { heads }));
        const kept = state(dy);
        return () => gradientsOf(y, kept);
      };
      return [
        { name: `attention forward, ${name}`, work: forward, flops: 2 * product, ...told },
        { name: `attention backward, ${name}`, work: backward, flops: 5 * product, ...told },
      ];
    }),
  );
}

const copy = (bytes: number): Row => ({
  name: 'copy of 256 MiB',
  bytes: 2 * bytes,
  was: '3.67 to 3.86 TB/s',
  work: (on) => {
    const memory = [0, 1].map(() => state(tensor(new Float32Array(bytes / 4))));
    const groups = bytes / 16 / 256 / 4;
    return () => {
      on.run(
        copyPrimitive,
        memory.map((t) => t.storage),
        { groups, each: 4, apart: true },
      );
      return [];
    };
  },
});

const chain = (count: number): Row => ({
  name: 'a dispatch, of a chain of 1000',
  each: count,
  was: '0.0019 ms',
  work: () => {
    const ones = state(tensor(new Float32Array(64).fill(1)));
    const run = compile(() => {
      let y: Tensor = ones;
      for (let i = 0; i < count; i++) y = mul(y, y);
      return y;
    });
    return () => [run()];
  },
});
