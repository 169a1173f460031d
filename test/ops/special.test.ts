import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { Rng } from '../../src/core/rng.js';
import { numel } from '../../src/core/shape.js';
import { mul } from '../../src/ops/binary.js';
import { sum } from '../../src/ops/reduce.js';
import { backward } from '../../src/tensor/autograd.js';
import { parameter, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, hardware, on, reference } from '../support/devices.js';
import { type EveryOp, everyOp } from '../support/every-op.js';

const LARGEST = 3.4028234663852886e38;
const TINY = Math.fround(1e-40); // a denormal, which adapters may take for 0

/** Where squares or sums of the largest number overflow in f32 and not in the mirror's f64, it is left out. */
const overflows = new RegExp(
  /Norm|variance|infoNce|attention|softmax|Softmax/.source +
    /|crossEntropy|gelu|matmul|linear|conv2d|rowDot|mean|sum|Pool|expand|gather|batch/.source,
);

/** y and gradients of sum(y w), given every input's values. */
async function evaluate(
  on_: Backend,
  { gradient, make }: EveryOp,
  size: () => number,
  values: readonly number[][],
  flush: boolean,
): Promise<number[][]> {
  const read = on(on_, () =>
    tidy(() => {
      const { inputs, f } = make(size);
      const xs = inputs.map(({ shape, dtype = 'f32', grad = /^f/.test(dtype) }, i) => {
        const x = tensor(
          values[i].map((v) => (flush && Math.abs(v) === TINY ? 0 : v)),
          shape,
          dtype === 'f16' ? 'f32' : dtype,
        );
        return grad && gradient !== false ? parameter(x) : x;
      });
      const y = f(...xs);
      const rng = new Rng(7, 'weights');
      if (gradient !== false)
        backward(
          sum(
            mul(
              y,
              tensor(
                Array.from({ length: y.size }, () => rng.uniform(0.5, 1.5)),
                y.shape,
              ),
            ),
          ),
        );
      return [y, ...xs.flatMap((x) => x.grad ?? [])].map((t) => t.data());
    }),
  );
  return (await Promise.all(read)).map((d) => Array.from(d));
}

/**
 * Whether a value is what the mirror gives, of numbers or of what is none; what lies under the normal numbers may be 0.
 */
function like(name: string, got: number, want: number): boolean {
  // which of NaN and infinity, adapters decide
  if (/attention|infoNce/.test(name) && !Number.isFinite(want)) return !Number.isFinite(got);
  const relative = name === 'log' ? 0.05 : 1e-3; // SwiftShader: ln 1e-40 is -88.02, not -92.10
  return (
    Object.is(got, want) ||
    (Number.isNaN(got) && Number.isNaN(want)) ||
    Math.abs(got - want) <= relative * Math.abs(want) + 1e-5
  );
}

const specials = [NaN, Infinity, -Infinity, -0, TINY, -TINY, LARGEST, -LARGEST];
const problem = fc.record({ at: fc.nat(0xffff), input: fc.nat(0xff), seed: fc.nat(0xffff) });

describe('NaN, infinities, signed zeros, denormals, the largest numbers: GPU = mirror, with gradients', () => {
  const ops = everyOp.filter(({ name }) => !/of stride 2|with statistics|of bytes|heads of 32/.test(name));
  /** Those that have kernels of their own for graphics cards, beside the tables' variants. */
  const onCards = ops.filter(({ name }) => /softmax|crossEntropy|rowDot|l2Norm|layerNorm|batchNorm|sum$/i.test(name));
  it.each([
    ...ops.map((op) => [op.name, op, gpu] as const),
    ...onCards.map((op) => [`${op.name} as on a graphics card`, op, hardware] as const),
  ])('%s', async (name, op, open) => {
    const device = await open();
    for (const value of specials)
      await fc.assert(
        fc.asyncProperty(problem, async ({ at, input, seed }) => {
          if (Math.abs(value) === LARGEST && overflows.test(name)) return;
          const sizes = () => {
            const rng = new Rng(seed, 'size');
            return (least = 0) => Math.max(least, 1, [1, 3, 4, 5][rng.below(4)]);
          };
          const { inputs } = on(reference, () => op.make(sizes()));
          const floats = inputs.flatMap((x, i) =>
            /^f/.test(x.dtype ?? 'f32') && !(/conv2d/.test(name) && i > 0) ? [i] : [],
          ); // a filter meets zeros around a picture
          const rng = new Rng(seed, 'values');
          const values = inputs.map((x) =>
            Array.from({ length: numel(x.shape) }, (_unused, j) =>
              x.values ? x.values(rng, j) : Math.fround(rng.normal()),
            ),
          );
          const to = values[floats[input % floats.length]];
          if (to.length > 0) to[at % to.length] = Math.fround(value);
          const [got, exact, flushed] = await Promise.all(
            [
              [device, false],
              [reference, false],
              [reference, true],
            ].map(([d, flush]) => evaluate(d as Backend, op, sizes(), values, flush as boolean)),
          );
          got.forEach((t, i) =>
            t.forEach((v, j) => {
              if (!like(name, v, exact[i][j]) && !like(name, v, flushed[i][j]))
                throw new Error(
                  `${i ? `gradient ${i - 1}` : 'y'}[${j}]: got ${v}, expected ${exact[i][j]}; ` +
                    `${value} in input ${floats[input % floats.length]} at ${at % to.length}`,
                );
            }),
          );
        }),
        { numRuns: 3 },
      );
  });
});
