import fc from 'fast-check';
import { expect } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { roundToHalves } from '../../src/core/half.js';
import { Rng } from '../../src/core/rng.js';
import { numel } from '../../src/core/shape.js';
import { mul } from '../../src/ops/binary.js';
import { withPrecision } from '../../src/ops/precision.js';
import { sum } from '../../src/ops/reduce.js';
import { backward } from '../../src/tensor/autograd.js';
import { parameter, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference, reference64 } from './devices.js';
import { assertClose, type OpCase } from './op.js';

interface Outcome {
  /** Type of the result, and of every gradient. */
  types: string[];
  values: ArrayLike<number>[];
}

/**
 * y and the gradients of sum(y · w), w random. Inputs that say f16 are f16 if `halves`, else f32; either way their
 * values are halves.
 */
async function evaluate(
  backend: Backend,
  { inputs, f }: OpCase,
  seed: number,
  halves: boolean,
  precision: 'f16' | 'f32',
): Promise<Outcome> {
  const normals = (length: number, of: number) => {
    const rng = new Rng(seed, 'half', of);
    const values = Float32Array.from({ length }, () => rng.normal());
    roundToHalves(values);
    return values;
  };
  const made = on(backend, () =>
    tidy(() =>
      withPrecision(precision, () => {
        const xs = inputs.map(({ shape, dtype = 'f32', values }, i) => {
          const v = values
            ? Float32Array.from({ length: numel(shape) }, (_, at) => values(new Rng(seed), at))
            : normals(numel(shape), i);
          return dtype === 'f16' || dtype === 'f32'
            ? parameter(tensor(v, shape, halves ? dtype : 'f32'))
            : tensor([...v], shape, dtype);
        });
        const y = f(...xs);
        backward(sum(mul(y, tensor(normals(y.size, 99), y.shape))));
        const all = [y, ...xs.flatMap((x) => x.grad ?? [])];
        return all.map((t) => ({ type: t.dtype, data: t.data() }));
      }),
    ),
  );
  return { types: made.map((t) => t.type), values: await Promise.all(made.map((t) => t.data)) };
}

/** Halves have 11 bits; a few roundings follow one another in an operation and its gradient. */
const HALF = { relative: 2 ** -9, absolute: 2 ** -20 };

/**
 * Property: with f16 storage the mirror's values are those in double precision as far as halves tell, and a GPU's are
 * the mirror's. On an adapter without halves, f16 is asked for in vain: types and bits are those of f32.
 */
export async function checkHalf<T>(
  cases: fc.Arbitrary<T>,
  make: (c: T) => OpCase,
  numRuns = 6,
  open = gpu,
): Promise<void> {
  const device = await open();
  await fc.assert(
    fc.asyncProperty(cases, fc.nat(0xffff), async (c, seed) => {
      const op = make(c);
      const mirror = await evaluate(reference, op, seed, true, 'f16');
      const exact = await evaluate(reference64, op, seed, false, 'f32');
      mirror.values.forEach((v, i) => assertClose(`mirror ${i}`, v, exact.values[i], HALF));
      const got = await evaluate(device, op, seed, device.f16, 'f16');
      if (device.f16) {
        expect(got.types).toEqual(mirror.types);
        got.values.forEach((v, i) => assertClose(`result ${i}`, v, mirror.values[i], HALF));
      } else {
        const plain = await evaluate(device, op, seed, false, 'f32');
        expect(got.types).toEqual(plain.types);
        expect(got.values).toEqual(plain.values);
      }
    }),
    { numRuns },
  );
}
