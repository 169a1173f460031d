import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.js';
import { conv2dDwPrimitive, conv2dDxPrimitive, conv2dPrimitive } from '../../src/ops/conv2d.js';
import { conv2dDwVariants } from '../../src/ops/conv2d_dw_variants.js';
import { conv2dDxVariants } from '../../src/ops/conv2d_dx_variants.js';
import { wSize, xSize, ySize } from '../../src/ops/conv2d_parts.js';
import { conv2dVariants } from '../../src/ops/conv2d_variants.js';
import { matmulPrimitive } from '../../src/ops/matmul.js';
import { matmulVariants } from '../../src/ops/matmul_variants.js';
import type { Conv2dParams } from '../../src/reference/conv2d.js';
import type { MatmulParams } from '../../src/reference/matmul.js';
import { run } from '../../src/tensor/run.js';
import { empty, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference64 } from '../support/devices.js';
import { playMatrices, withMatrices } from '../support/matrices.js';
import { assertClose } from '../support/op.js';

const product = (M: number, N: number, K: number, aT: boolean, bT: boolean): MatmulParams => ({
  batch: 2,
  M,
  N,
  K,
  aBatch: M * K,
  bBatch: 0,
  aRow: aT ? 1 : K,
  aCol: aT ? M : 1,
  bRow: bT ? 1 : N,
  bCol: bT ? K : 1,
  half: 1,
});

function convolution(
  N: number,
  [H, W]: number[],
  C: number,
  O: number,
  [R, S]: number[],
  more: Partial<Conv2dParams> = {},
): Conv2dParams {
  const p = {
    N,
    H,
    W,
    C,
    O,
    R,
    S,
    P: 0,
    Q: 0,
    strideH: 1,
    strideW: 1,
    padH: 1,
    padW: 1,
    dilationH: 1,
    dilationW: 1,
    groups: 1,
    half: 1 as const,
    ...more,
  };
  p.P = Math.floor((H + 2 * p.padH - p.dilationH * (R - 1) - 1) / p.strideH) + 1;
  p.Q = Math.floor((W + 2 * p.padW - p.dilationW * (S - 1) - 1) / p.strideW) + 1;
  return p;
}

/**
 * Tiles that are whole and tiles that are not, strides that leave classes of pixels without a tap, groups, dilation.
 */
const convolutions = [
  convolution(1, [12, 11], 132, 132, [3, 3]),
  convolution(2, [7, 6], 8, 24, [3, 2], { strideH: 2, strideW: 3, dilationH: 2, groups: 2 }),
  convolution(1, [9, 9], 4, 8, [1, 1], { strideH: 2, strideW: 2, padH: 0, padW: 0 }),
  convolution(1, [4, 5], 128, 4, [2, 3], { padW: 2, dilationW: 2 }),
];

const cases = [
  ...[
    [false, false],
    [true, true],
  ].map(([aT, bT]) => ({
    name: `matmul ${'NT'[+aT]}${'NT'[+bT]}`,
    primitive: matmulPrimitive,
    table: matmulVariants,
    sizes: [(p: MatmulParams) => 2 * p.M * p.K, (p: MatmulParams) => p.K * p.N, (p: MatmulParams) => 2 * p.M * p.N],
    problems: [product(132, 128, 36, aT, bT), product(128, 8, 64, aT, bT)],
  })),
  {
    name: 'conv2d',
    primitive: conv2dPrimitive,
    table: conv2dVariants,
    sizes: [xSize, wSize, ySize],
    problems: convolutions,
  },
  {
    name: 'conv2d_dx',
    primitive: conv2dDxPrimitive,
    table: conv2dDxVariants,
    sizes: [ySize, wSize, xSize],
    problems: convolutions,
  },
  {
    name: 'conv2d_dw',
    primitive: conv2dDwPrimitive,
    table: conv2dDwVariants,
    sizes: [xSize, ySize, wSize],
    problems: convolutions,
  },
] as unknown as {
  name: string;
  primitive: typeof conv2dPrimitive;
  table: typeof conv2dVariants;
  sizes: ((p: Conv2dParams) => number)[];
  problems: Conv2dParams[];
}[];

describe('kernels for tensor cores, played by threads, equal the mirror', () => {
  it.each(cases)('$name', async ({ name, primitive, table, sizes, problems }) => {
    const device = await gpu();
    const variant = table.variants.find((r) => r.name === 'matrix')!;
    const traits = withMatrices(device.gpu.traits);
    if (!traits.f16) return problems.forEach((p) => expect(variant.supports(p, device.gpu.traits)).toBe(false));
    for (const p of problems) {
      expect(variant.supports(p, traits), JSON.stringify(p)).toBe(true);
      const rng = new Rng(sizes[0](p), name);
      const [a, b] = sizes
        .slice(0, 2)
        .map((size) => Array.from({ length: size(p) }, () => Math.round(256 * rng.normal()) / 256)); // exact in f16
      const compute = (backend: typeof device | typeof reference64, dtype: 'f32' | 'f16' = 'f32') =>
        on(backend, () =>
          tidy(() => {
            const y = empty([sizes[2](p)], dtype);
            run(
              { ...primitive, gpu: () => playMatrices(variant.launch(p, traits)) },
              [a, b].map((values) => tensor(values, [values.length], dtype)),
              [y],
              p,
            );
            return y.data();
          }),
        );
      const want = await compute(reference64);
      assertClose(JSON.stringify(p), await compute(device), want, {});
      if (name === 'matmul NN' && p === problems[1])
        assertClose(`${JSON.stringify(p)}, stored as halves`, await compute(device, 'f16'), want, {
          relative: 2 ** -11,
        });
    }
  });
});
