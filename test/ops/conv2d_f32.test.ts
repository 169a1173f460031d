import { describe, expect, it } from 'vitest';
import type { Primitive } from '../../src/backend/backend.js';
import type { GpuBackend } from '../../src/backend/gpu.js';
import type { VariantTable } from '../../src/backend/variants.js';
import { Rng } from '../../src/core/rng.js';
import { conv2dDwPrimitive, conv2dDxPrimitive, conv2dPrimitive } from '../../src/ops/conv2d.js';
import { conv2dDwVariants } from '../../src/ops/conv2d_dw_variants.js';
import { conv2dDxVariants } from '../../src/ops/conv2d_dx_variants.js';
import { wSize, xSize, ySize } from '../../src/ops/conv2d_parts.js';
import { conv2dVariants } from '../../src/ops/conv2d_variants.js';
import type { Conv2dParams } from '../../src/reference/conv2d.js';
import { run } from '../../src/tensor/run.js';
import { empty, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference64 } from '../support/devices.js';
import { described } from '../support/dry.js';
import { playMatrices, withMatrices } from '../support/matrices.js';
import { convolution } from '../support/variant-cases.js';

const p = convolution(1, [6, 6], [8, 8], [1, 2], { padW: 1 });
type Of = readonly [
  VariantTable<Conv2dParams>,
  Primitive<Conv2dParams>,
  sizes: readonly ((p: Conv2dParams) => number)[],
];
const tables: Record<string, Of> = {
  y: [conv2dVariants, conv2dPrimitive, [xSize, wSize, ySize]],
  dx: [conv2dDxVariants, conv2dDxPrimitive, [ySize, wSize, xSize]],
  dw: [conv2dDwVariants, conv2dDwPrimitive, [xSize, ySize, wSize]],
};

const computed = (device: GpuBackend | typeof reference64, [table, primitive, sizes]: Of, inputs: Float32Array[]) =>
  on(device, () =>
    tidy(() => {
      const y = empty([sizes[2](p)]);
      const traits = withMatrices({ ...described['NVIDIA H200'].traits });
      const variant = table.variants.find(({ name }) => name === 'f32 matrix 64×64')!;
      const made = { ...primitive, gpu: () => playMatrices(variant.launch(p, traits)) };
      run(
        device === reference64 ? primitive : made,
        inputs.map((v) => tensor(v, [v.length])),
        [y],
        p,
      );
      return y.data();
    }),
  );

describe('convolutions of f32 on tensor cores, which threads play, each factor the sum of two halves', () => {
  // f32 by itself is some 1e-7 off; without low halves 5e-4
  it.each(Object.entries(tables))(
    '%s: within 2e-6 of its root mean square, and where one value is 2^30',
    async (_, of) => {
      const device = await gpu();
      for (const large of [1, 2 ** 30]) {
        const inputs = of[2].slice(0, 2).map((size, n) => {
          const rng = new Rng(7, 'conv2d f32', n);
          return Float32Array.from({ length: size(p) }, () => rng.normal());
        });
        inputs[0][50] *= large;
        const [got, want] = [
          Array.from(await computed(device, of, inputs)),
          Array.from(await computed(reference64, of, inputs)),
        ];
        const rms = Math.sqrt(want.reduce((sum, v) => sum + v * v, 0) / want.length);
        expect(Math.max(...want.map((v, i) => Math.abs(got[i] - v)))).toBeLessThan(2e-6 * rms);
      }
    },
  );

  it('are chosen where they are worth it, and never in f32-exact', () => {
    const { traits } = described['NVIDIA H200'];
    const layer = convolution(256, [28, 28], [128, 128], [3, 3], { padH: 1, padW: 1 });
    for (const [table] of Object.values(tables)) {
      expect(table.heuristic({ ...layer, half: 0 }, traits)).toMatch(/^f32 matrix 128/);
      expect(table.heuristic({ ...layer, half: 0, exact: 1 }, traits)).toMatch(/^tiled/);
      expect(table.heuristic({ ...layer, half: 0 }, { ...traits, f32Matrices: undefined })).toMatch(/^tiled/);
      expect(table.heuristic({ ...p, half: 0 }, traits)).not.toMatch(/^f32/);
    }
  });
});
