import { describe, expect, it } from 'vitest';
import { variantOf } from '../../src/backend/variants.js';
import { Rng } from '../../src/core/rng.js';
import { conv2dDwPrimitive, conv2dDxPrimitive, conv2dPrimitive } from '../../src/ops/conv2d.js';
import { conv2dDwVariants } from '../../src/ops/conv2d_dw_variants.js';
import { conv2dDxVariants } from '../../src/ops/conv2d_dx_variants.js';
import { isDepthwise, wSize, xSize, ySize } from '../../src/ops/conv2d_parts.js';
import { conv2dVariants } from '../../src/ops/conv2d_variants.js';
import type { Conv2dParams } from '../../src/reference/conv2d.js';
import { run } from '../../src/tensor/run.js';
import { empty, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference64 } from '../support/devices.js';
import { assertClose } from '../support/op.js';

function problem(
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
    padH: 0,
    padW: 0,
    dilationH: 1,
    dilationW: 1,
    groups: 1,
    ...more,
  };
  p.P = Math.floor((H + 2 * p.padH - p.dilationH * (R - 1) - 1) / p.strideH) + 1;
  p.Q = Math.floor((W + 2 * p.padW - p.dilationW * (S - 1) - 1) / p.strideW) + 1;
  return p;
}

/**
 * Few and many channels, one group and several and one a channel, strides that do not divide, padding wider than the
 * picture's rest.
 */
const problems = [
  problem(2, [9, 7], 3, 10, [3, 3], { padH: 1, padW: 1 }),
  problem(1, [11, 13], 3, 17, [7, 7], { strideH: 2, strideW: 2, padH: 3, padW: 3 }),
  problem(2, [8, 9], 8, 36, [3, 2], { strideH: 2, strideW: 3, padH: 2, padW: 1, dilationH: 2 }),
  problem(3, [5, 6], 40, 24, [2, 3], { padW: 2, dilationW: 2, groups: 2 }),
  problem(1, [7, 5], 15, 9, [1, 1], { strideH: 2, strideW: 2, groups: 3 }),
  problem(2, [6, 5], 33, 20, [1, 1]),
  problem(2, [7, 9], 20, 72, [3, 3], { strideH: 2, strideW: 2, padH: 1, padW: 1 }),
  problem(2, [9, 8], 13, 13, [3, 5], { strideH: 2, padH: 1, padW: 2, dilationH: 2, groups: 13 }),
  problem(1, [4, 4], 8, 8, [4, 1], { padH: 3, strideW: 3, groups: 8 }),
];

const tables = [
  { primitive: conv2dPrimitive, table: conv2dVariants, sizes: [xSize, wSize, ySize] },
  { primitive: conv2dDxPrimitive, table: conv2dDxVariants, sizes: [ySize, wSize, xSize] },
  { primitive: conv2dDwPrimitive, table: conv2dDwVariants, sizes: [xSize, ySize, wSize] },
];
/** All but those for tensor cores, which matrix.test.ts has. */
const variants = tables.flatMap(({ table, ...of }) =>
  table.variants
    .filter(({ name }) => name !== 'matrix')
    .map((variant) => ({ name: `${table.name} ${variant.name}`, variant, ...of })),
);

describe('every variant equals the mirror', () => {
  it.each(variants)('$name', async ({ name, variant, primitive, sizes }) => {
    const device = await gpu();
    const traits = { ...device.gpu.traits, software: false, parallelGroups: 16 }; // all variants; slices dw
    // What tiles of 128 differ by from 64 is one constant, which takes SwiftShader 4 s to compile: the gradients' run
    // on Mesa.
    if (/_d. tiled 128/.test(name) && device.gpu.traits.subgroup === 4) return;
    const fitting = problems.filter((p) => variant.supports(p, traits));
    expect(fitting.length, 'problems that fit').toBeGreaterThan(traits.subgroup ? 0 : -1);
    for (const p of fitting) {
      const rng = new Rng(p.H, name);
      const [a, b] = sizes.slice(0, 2).map((size) => Array.from({ length: size(p) }, () => Math.fround(rng.normal())));
      const compute = (backend: typeof device | typeof reference64) =>
        on(backend, () =>
          tidy(() => {
            const y = empty([sizes[2](p)]);
            run({ ...primitive, gpu: () => variant.launch(p, traits) }, [tensor(a), tensor(b)], [y], p);
            return y.data();
          }),
        );
      assertClose(JSON.stringify(p), await compute(device), await compute(reference64), {});
    }
  });
});

it('the heuristic of every problem is a variant that computes it', async () => {
  const { traits } = (await gpu()).gpu;
  for (const { table } of tables)
    for (const p of problems)
      for (const software of [true, false]) {
        const variant = variantOf(table, p, { ...traits, software });
        expect(variant.supports(p, { ...traits, software }), `${table.name} ${variant.name}`).toBe(true);
        if (isDepthwise(p)) expect(variant.name).toBe('depthwise');
      }
});
