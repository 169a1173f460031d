import './all-variants.js';
import type { Primitive } from '../../src/backend/backend.js';
import type { VariantTable } from '../../src/backend/variants.js';
import type { TypedArray } from '../../src/core/dtype.js';
import { attentionGradPrimitive, attentionPrimitive } from '../../src/ops/attention.js';
import { attentionGradVariants, attentionVariants } from '../../src/ops/attention_variants.js';
import { conv2dDwPrimitive, conv2dDxPrimitive, conv2dPrimitive } from '../../src/ops/conv2d.js';
import { conv2dDwVariants } from '../../src/ops/conv2d_dw_variants.js';
import { conv2dDxVariants } from '../../src/ops/conv2d_dx_variants.js';
import { wSize, xSize, ySize } from '../../src/ops/conv2d_parts.js';
import { conv2dVariants } from '../../src/ops/conv2d_variants.js';
import { infoNcePrimitive } from '../../src/ops/info_nce.js';
import { infoNceVariants } from '../../src/ops/info_nce_variants.js';
import { matmulPrimitive } from '../../src/ops/matmul.js';
import { matmulVariants } from '../../src/ops/matmul_variants.js';
import type { AttentionParams } from '../../src/reference/attention.js';
import type { Conv2dParams } from '../../src/reference/conv2d.js';
import { attention as attentionMirror } from '../../src/reference/index.js';
import type { InfoNceParams } from '../../src/reference/info_nce.js';
import type { MatmulParams } from '../../src/reference/matmul.js';

/** Ugly problems of a table, on which every variant is compared with the mirror. */
export interface VariantCase<P extends object = never> {
  readonly table: VariantTable<P>;
  readonly primitive: Primitive<P>;
  readonly problems: readonly P[];
  /** Elements of every buffer, inputs first, and how many are inputs. */
  readonly sizes: (p: P) => readonly number[];
  readonly inputs: number;
  /** Columns of the result as a matrix: for epilogues. */
  readonly columns?: (p: P) => number;
  /** Problems in f16, for tensor cores, which threads play: few. Default: the same in f32. */
  readonly f16?: readonly P[];
  /** Of a result's largest value, what kernels for f16 may be off that round between their products. */
  readonly rounding?: number;
  /** Makes inputs that depend on others what they must be. */
  readonly prepare?: (p: P, inputs: TypedArray[]) => void;
  /** What else an adapter is said to be. */
  readonly workgroupMemory?: number;
  readonly parallelGroups?: readonly number[];
  /** Variants of other tables, by their tuning keys: those that compile soonest. */
  readonly tuned?: Record<string, string>;
}

/** Compilers take long for wide heads and rows, Mesa's for minutes: the first pass over the tests has them. */
declare const TEST_RUNS: number;
const wide = <T>(...values: T[]): T[] => (TEST_RUNS >= 1 ? values : []);

export function product(
  [batch, M, N, K]: readonly number[],
  [aT, bT]: readonly boolean[],
  half: 0 | 1 = 0,
): MatmulParams {
  const strides = { aRow: aT ? 1 : K, aCol: aT ? M : 1, bRow: bT ? 1 : N, bCol: bT ? K : 1 };
  return { batch, M, N, K, aBatch: batch > 1 ? M * K : 0, bBatch: 0, ...strides, half };
}

const turns = [
  [false, true],
  [true, false],
  [false, false],
  [true, true],
];
/** [batch, M, N, K]: less than a tile, several with a rest, no sum, one that is split; all readable by vec4 or not. */
const products = [
  [1, 132, 132, 36],
  [1, 7, 36, 33],
  [3, 64, 260, 68],
  [1, 3, 260, 516],
  [1, 65, 68, 16],
  [1, 130, 1, 5],
  [2, 15, 8, 516],
  [1, 8, 4, 0],
  [1, 36, 40, 64],
  [3, 1, 3, 1],
  [1, 300, 68, 8],
];

export function convolution(
  N: number,
  [H, W]: readonly number[],
  [C, O]: readonly number[],
  [R, S]: readonly number[],
  more: Partial<Conv2dParams> = {},
): Conv2dParams {
  const geometry = { strideH: 1, strideW: 1, padH: 0, padW: 0, dilationH: 1, dilationW: 1, groups: 1, ...more };
  const out = (size: number, taps: number, stride: number, pad: number, dilation: number) =>
    Math.floor((size + 2 * pad - dilation * (taps - 1) - 1) / stride) + 1;
  const P = out(H, R, geometry.strideH, geometry.padH, geometry.dilationH);
  const Q = out(W, S, geometry.strideW, geometry.padW, geometry.dilationW);
  return { N, H, W, C, O, R, S, P, Q, ...geometry };
}

/**
 * Few and many channels, one group and several and one a channel, strides that do not divide, padding wider than the
 * picture's rest, pixels that fill no tile, one and several.
 */
const convolutions = [
  convolution(2, [9, 7], [3, 10], [3, 3], { padH: 1, padW: 1 }),
  convolution(1, [11, 13], [3, 17], [7, 7], { strideH: 2, strideW: 2, padH: 3, padW: 3 }),
  convolution(2, [12, 12], [3, 12], [5, 5], { padH: 2, padW: 2 }),
  convolution(2, [8, 9], [8, 36], [3, 2], { strideH: 2, strideW: 3, padH: 2, padW: 1, dilationH: 2 }),
  convolution(3, [5, 6], [40, 24], [2, 3], { padW: 2, dilationW: 2, groups: 2 }),
  convolution(1, [7, 5], [15, 9], [1, 1], { strideH: 2, strideW: 2, groups: 3 }),
  convolution(2, [6, 5], [33, 20], [1, 1]),
  convolution(1, [16, 16], [8, 132], [1, 1], { strideH: 2, strideW: 2 }),
  convolution(2, [7, 9], [20, 72], [3, 3], { strideH: 2, strideW: 2, padH: 1, padW: 1 }),
  convolution(2, [16, 9], [24, 72], [3, 3], { strideH: 2, strideW: 2, padH: 1, padW: 1, groups: 2 }),
  convolution(2, [9, 8], [13, 13], [3, 5], { strideH: 2, padH: 1, padW: 2, dilationH: 2, groups: 13 }),
  convolution(1, [4, 4], [8, 8], [4, 1], { padH: 3, strideW: 3, groups: 8 }),
];
/**
 * Whole tiles and others, steps that are whole and not, strides that leave classes of pixels without a tap, groups,
 * dilation; few channels, which are an axis with their taps.
 */
const convolutionsF16 = [
  convolution(2, [7, 6], [16, 48], [3, 2], { strideH: 2, strideW: 3, padH: 1, padW: 1, dilationH: 2, groups: 2 }),
  convolution(1, [9, 9], [136, 8], [3, 3], { strideH: 2, strideW: 2, padH: 1, padW: 1 }),
  convolution(1, [12, 11], [8, 136], [1, 3], { padH: 0, padW: 1 }),
  convolution(1, [4, 5], [64, 64], [2, 3], { padH: 1, padW: 2, dilationW: 2 }),
  convolution(1, [9, 7], [3, 24], [7, 7], { strideH: 2, strideW: 2, padH: 3, padW: 3 }),
  convolution(2, [6, 5], [13, 8], [3, 2], { padH: 2, padW: 1, dilationH: 2 }),
].map((p) => ({ ...p, half: 1 as const }));
const convolved = { problems: convolutions, f16: convolutionsF16, inputs: 2 };

/** [batch, H, D, Nq, Nk]: less than a tile, several with a rest, heads wider than what a round of threads stores. */
const attentions = [[2, 3, 5, 3, 7], [2, 3, 8, 3, 3], [1, 2, 8, 70, 72], ...wide([1, 1, 36, 37, 39])].map(
  ([batch, H, D, Nq, Nk]): AttentionParams => {
    return { batch, H, D, Nq, Nk, qRow: H * D, kvRow: 2 * H * D, kStart: 0, scale: 0.7 };
  },
);
const attended = (p: AttentionParams) => {
  const q = p.batch * p.Nq * p.H * p.D;
  return { q, kv: 2 * p.batch * p.Nk * p.H * p.D, lse: p.batch * p.Nq * p.H };
};
/** Small tiles compile faster; a head of 36 needs larger ones. */
const attention = {
  problems: attentions,
  workgroupMemory: 13 * 1024,
  rounding: 2 ** -9,
  f16: [
    [1, 2, 32, 17, 33],
    [1, 1, 32, 33, 15],
  ].map(([batch, H, D, Nq, Nk]): AttentionParams => {
    return { batch, H, D, Nq, Nk, qRow: H * D, kvRow: 2 * H * D, kStart: 0, scale: D ** -0.5, half: 1 };
  }),
};

const contrasts = [17, 20, ...wide(36, 257)].flatMap((D) =>
  [
    [1, 0],
    [17, 65],
    [17, 257],
  ].map(([N, K]): InfoNceParams => ({ N, K, D, temperature: 0.2 })),
);

const cases: readonly [
  VariantCase<MatmulParams>,
  ...VariantCase<Conv2dParams>[],
  VariantCase<AttentionParams>,
  VariantCase<AttentionParams>,
  VariantCase<InfoNceParams>,
] = [
  {
    table: matmulVariants,
    primitive: matmulPrimitive,
    problems: products.flatMap((sizes) => [turns[0], turns[sizes[1] % 4]].map((turned) => product(sizes, turned))),
    f16: [
      product([1, 130, 36, 20], [false, true], 1),
      product([2, 5, 3, 7], [true, false], 1),
      ...turns.map((turned, i) => product([1, 136, 72 + 8 * i, 72], turned, 1)),
      product([2, 8, 16, 520], [false, false], 1),
      product([1, 8, 8, 0], [false, true], 1),
      product([1, 40, 24, 128], [false, true], 1),
    ],
    sizes: (p) => [p.batch * p.M * p.K, p.K * p.N, p.batch * p.M * p.N],
    columns: (p) => p.N,
    inputs: 2,
  },
  {
    table: conv2dVariants,
    primitive: conv2dPrimitive,
    ...convolved,
    sizes: (p) => [xSize, wSize, ySize].map((size) => size(p)),
    columns: (p) => p.O,
  },
  {
    table: conv2dDxVariants,
    primitive: conv2dDxPrimitive,
    ...convolved,
    sizes: (p) => [ySize, wSize, xSize].map((size) => size(p)),
  },
  {
    table: conv2dDwVariants,
    primitive: conv2dDwPrimitive,
    ...convolved,
    sizes: (p) => [xSize, ySize, wSize].map((size) => size(p)),
  },
  {
    table: attentionVariants,
    primitive: attentionPrimitive,
    ...attention,
    sizes: (p) => {
      const { q, kv, lse } = attended(p);
      return [q, kv, q, lse];
    },
    inputs: 2,
  },
  {
    table: attentionGradVariants,
    primitive: attentionGradPrimitive,
    ...attention,
    sizes: (p) => {
      const { q, kv, lse } = attended(p);
      return [q, kv, q, lse, q, q, kv];
    },
    inputs: 5,
    prepare: (p, inputs) => attentionMirror(inputs.slice(0, 4), p),
  },
  {
    table: infoNceVariants,
    primitive: infoNcePrimitive,
    problems: contrasts,
    sizes: ({ N, K, D }) => [N * D, N * D, K * D, N, N, N * D],
    inputs: 3,
    workgroupMemory: 8192,
    parallelGroups: [1, 7, 512],
    tuned: new Proxy({}, { get: (_, key) => (/^matmul/.test(String(key)) ? 'direct' : undefined) }),
  },
];
export const variantCases = cases as unknown as readonly VariantCase[];
