/** What the model takes a kernel for. `GB/s`: its time goes by bytes; `TFLOP/s`: by operations; `us`: a fixed time. */
export interface Rate {
  readonly per: 'TFLOP/s' | 'TB/s' | 'us';
  readonly rate: number;
  /** With operations: bytes a second that it reaches where memory is the limit; the longer of both counts. */
  readonly bytes?: number;
  /** Where the figure comes from. */
  readonly source: string;
  /** Nobody has measured it. */
  readonly assumed?: boolean;
}

/** Microseconds that a dispatch takes besides its work; two never overlap. Measured on an H200. */
export const DISPATCH_US = 1.9;

/** Kinds of kernels, by primitive and kernel file, the first that matches. */
const kinds: readonly (readonly [kind: string, pattern: RegExp])[] = [
  ['first layer', /conv2d_(dw_|dx_)?(few|small_channel)/],
  ['product, tiles of 64', / matmul_tiled/],
  ['product', / matmul/],
  ['conv dX', / conv2d_dx/],
  ['conv dW', / conv2d_dw/],
  ['conv forward', / conv2d/],
  ['batch norm tail', / batch_norm_(stats_end|stats_tiles|stats_merge|sums_end)/],
  ['batch norm pass', / batch_norm/],
  ['layer norm', / layer_norm/],
  ['attention', / attention/],
  ['row dot', / row_dot/],
  ['InfoNCE', / info_nce/],
  ['binary', / binary/],
  ['reduce', / reduce/],
  ['update', / (sgd|adamw|lars|ema|accumulate|restore|loss_scale)/],
  ['augment', / augment/],
];

/** The kind of a kernel, `other` where no pattern matches. */
export const kindOf = (op: string, kernel: string): string =>
  kinds.find(([, pattern]) => pattern.test(`${op} ${kernel}`))?.[0] ?? 'other';

export type Rates = Readonly<Record<string, Rate>>;

const flops = (rate: number, source: string, bytes?: number): Rate => ({ per: 'TFLOP/s', rate, source, bytes });
const bytes = (rate: number, source: string): Rate => ({ per: 'TB/s', rate, source });
const guess = (rate: Rate): Rate => ({ ...rate, assumed: true });

/** Kinds that have the same rate in both precisions. */
const shared: Rates = {
  'batch norm tail': { per: 'us', rate: 20.8, source: 'statistics’ ends in a ResNet-50 step: 2.2 ms of 106' },
  'layer norm': guess(bytes(2.5, 'as the updates')),
  attention: flops(12, 'in a ViT-S step, forward and backward'),
  'row dot': bytes(0.27, 'in a ViT-S step: 14 ms of 3.78 GB'),
  InfoNCE: flops(9, 'N 256, D 128, K 65,536 with gradient: 0.96 ms of 8.6 GFLOP'),
  binary: bytes(3.2, 'in a ViT-S step: 11 ms of 35.2 GB'),
  reduce: bytes(0.8, 'reduce_vec4 in a step: 0.7 to 0.9'),
  update: bytes(2.5, 'SGD and EMA over ResNet-50: 2.4 to 2.6'),
  augment: bytes(0.29, 'in a ResNet-50 step: 2.4 ms of 0.69 GB'),
  other: guess(bytes(2.5, 'as the updates')),
};

/**
 * The kernels that ran on an NVIDIA H200 at commit 6ecaadb. A figure "in a step" is the time that a profiled step of
 * ResNet-50 spent in the kind, by the work that the step has of it: measured, each by itself, and none from the total.
 */
export const today: Readonly<Record<'f32' | 'f16', Rates>> = {
  f32: {
    ...shared,
    product: flops(29.6, 'matmul_wide in a step: 94 ms; 33 alone at 4096³'),
    'product, tiles of 64': flops(15.6, 'matmul_tiled in a step: 60 ms; 13 to 19 alone at 1024³'),
    'conv forward': flops(25.7, 'in a step: 86 ms; 20 to 28 alone'),
    'conv dX': flops(24, 'in a step: 46 ms'),
    'conv dW': flops(24, 'in a step: 46 ms'),
    'first layer': flops(20.1, 'in a step: 9 ms'),
    'batch norm pass': bytes(3.6, 'in a step: 48 ms with its tails'),
  },
  f16: {
    ...shared,
    product: flops(48.2, 'matmul_matrix in a step: 77 ms; 62 to 101 alone at 4096³'),
    'product, tiles of 64': guess(flops(15.6, 'as in f32')),
    'conv forward': flops(65, 'in a step: 34 ms; 81 by the best layers'),
    'conv dX': flops(48, 'in a step: 23 ms'),
    'conv dW': flops(55, 'in a step: 20 ms'),
    'first layer': flops(18.1, 'in a step: 10 ms, f32 tiles'),
    'batch norm pass': bytes(2.85, 'in a step: 29 ms with its tails'),
  },
};

/** Passes over memory as the sweep measured them, or at the part of the copy rate that they are to reach. */
const passes: Rates = {
  ...shared,
  'batch norm tail': guess({ per: 'us', rate: 3, source: 'a dispatch that fills the card, a few KB' }),
  'batch norm pass': bytes(4.1, 'sweep: apply 4.1, statistics 4.3'),
  'layer norm': guess(bytes(3.6, '85 % of the copy rate')),
  'row dot': guess(bytes(3.6, '85 % of the copy rate')),
  binary: guess(bytes(3.6, '85 % of the copy rate')),
  reduce: guess(bytes(3.6, '85 % of the copy rate')),
  update: guess(bytes(3.6, '85 % of the copy rate')),
  other: guess(bytes(3.6, '85 % of the copy rate')),
};
const first = flops(70, 'sweep: 7×7/2 of 4 padded channels 72, its dW 67');

/** What the sweep of designs reached on the same card, by name; a step takes the one of its precision. */
export const designs: Readonly<Record<string, { precision: 'f32' | 'f16'; rates: Rates }>> = {
  'f32 by FMA': {
    precision: 'f32',
    rates: {
      ...passes,
      product: flops(45, 'sweep: 47 at 4096³, 45 for dW of a ViT', 2.5),
      'product, tiles of 64': flops(45, 'sweep: 45 for dW of a ViT in 7 splits', 2.6),
      'conv forward': flops(36, 'sweep: 35 to 38', 2.5),
      'conv dX': flops(33, 'sweep: 27 to 40', 2.5),
      'conv dW': flops(31, 'sweep: 27 to 35', 2.6),
      'first layer': guess(flops(36, 'as the other convolutions')),
      InfoNCE: flops(32, 'sweep: three dispatches, 0.27 ms'),
    },
  },
  'f32 on matrices': {
    precision: 'f32',
    rates: {
      ...passes,
      product: flops(94, 'sweep: 93 (NN), 94 (NT) at 4096³', 2.5),
      'product, tiles of 64': flops(94, 'sweep: 114 (TN) at 4096³; a third of f16 dW’s 178 with splits', 2.6),
      'conv forward': flops(66, 'sweep: 56 to 82', 2.5),
      'conv dX': flops(66, 'sweep: 56 to 82', 2.5),
      'conv dW': guess(flops(56, 'the least of the sweep’s convolutions', 2.6)),
      'first layer': guess(flops(36, 'as by FMA')),
      attention: flops(36, 'sweep, first attempts at d 32: 39, 32, 38'),
      InfoNCE: flops(32, 'sweep: three dispatches, 0.27 ms'),
    },
  },
  f16: {
    precision: 'f16',
    rates: {
      ...passes,
      product: flops(198, 'sweep: ViT 198 to 259, 4096³ 257 to 309', 2.2),
      'product, tiles of 64': flops(178, 'sweep: dW of a ViT in 4 splits', 2.6),
      'conv forward': flops(195, 'sweep: 144, 217, 230, 224; stride 2 185', 2.5),
      'conv dX': flops(150, 'sweep: 140 to 211; stride 2 by parity 90 to 164', 2.5),
      'conv dW': flops(155, 'sweep: 126 to 189', 2.6),
      'first layer': first,
      attention: flops(36, 'sweep, first attempts at d 32: 39, 32, 38'),
      InfoNCE: flops(57, 'sweep: three dispatches on halves, 0.15 ms'),
    },
  },
};
