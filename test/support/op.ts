import fc from 'fast-check';
import type { Backend } from '../../src/backend/backend.js';
import type { DType, TypedArray } from '../../src/core/dtype.js';
import { Rng } from '../../src/core/rng.js';
import { numel, type Shape, show } from '../../src/core/shape.js';
import { mul } from '../../src/ops/binary.js';
import { sum } from '../../src/ops/reduce.js';
import { backward } from '../../src/tensor/autograd.js';
import { parameter, type Tensor, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, hardware, on, reference64 } from './devices.js';

/** One input of an operation. Values come from `values`, or are normal numbers drawn from the case's seed. */
export interface Input {
  shape: Shape;
  dtype?: DType;
  values?: (rng: Rng, index: number) => number;
  /** false: no gradient is asked for (labels, indices). Default: true for f32. */
  grad?: boolean;
}

export interface OpCase {
  inputs: Input[];
  f: (...inputs: Tensor[]) => Tensor;
}

export interface Tolerance {
  /** |gpu - mirror| <= relative · (largest |mirror| of the tensor) + absolute. */
  relative?: number;
  absolute?: number;
  /** Skip gradients, for operations that have none. */
  gradient?: boolean;
  /** Choose kernels as for a graphics card. */
  hardware?: boolean;
}

interface Outcome {
  y: number[];
  grads: number[][];
}

/**
 * Property: forward and gradients agree between the GPU and the f64 mirror, and the mirror's with central differences.
 */
export async function checkOp<T>(
  cases: fc.Arbitrary<T>,
  make: (c: T) => OpCase,
  tolerance: Tolerance = {},
  numRuns = 25,
): Promise<void> {
  const device = await (tolerance.hardware ? hardware() : gpu());
  await fc.assert(
    fc.asyncProperty(cases, fc.nat(0xffff), async (c, seed) => {
      const op = make(c);
      const values = op.inputs.map((x, i) => drawValues(x, new Rng(seed, 'input', i)));
      const wantGrad = tolerance.gradient !== false;
      const exact = await evaluate(reference64, op, values, seed, wantGrad);
      const got = await evaluate(device, op, values, seed, wantGrad);
      assertClose('forward', got.y, exact.y, tolerance);
      exact.grads.forEach((g, i) => assertClose(`gradient ${i}`, got.grads[i], g, tolerance));
      if (wantGrad) await checkDifferences(op, values, seed, exact.grads);
    }),
    { numRuns },
  );
}

function drawValues(x: Input, rng: Rng): number[] {
  return Array.from({ length: numel(x.shape) }, (_, i) => Math.fround(x.values ? x.values(rng, i) : rng.normal()));
}

/** y and the gradients of sum(y · w), w fixed random numbers, so that every element of dy differs. */
async function evaluate(
  backend: Backend,
  op: OpCase,
  values: number[][],
  seed: number,
  wantGrad: boolean,
): Promise<Outcome> {
  const read = on(backend, () =>
    tidy(() => {
      const inputs = op.inputs.map((x, i) => asInput(x, values[i]));
      const y = op.f(...inputs);
      if (wantGrad) backward(sum(mul(y, weights(y.shape, seed))));
      return [y.data(), ...inputs.flatMap((x) => (x.grad ? [x.grad.data()] : x.requiresGrad ? [zerosLike(x)] : []))];
    }),
  );
  const [y, ...grads] = (await Promise.all(read)).map((d: TypedArray) => Array.from(d));
  return { y, grads };
}

const zerosLike = async (x: Tensor): Promise<TypedArray> => new Float32Array(x.size);

function asInput(x: Input, values: number[]): Tensor {
  const t = tensor(values, x.shape, x.dtype ?? 'f32');
  return (x.grad ?? t.dtype === 'f32') ? parameter(t) : t;
}

const weights = (shape: Shape, seed: number): Tensor => {
  const rng = new Rng(seed, 'weights');
  return tensor(
    Array.from({ length: numel(shape) }, () => Math.fround(rng.normal())),
    shape,
  );
};

/** The mirror's gradient against (L(x + h) - L(x - h)) / 2h in double precision, at a few elements an input. */
async function checkDifferences(op: OpCase, values: number[][], seed: number, grads: number[][]): Promise<void> {
  const rng = new Rng(seed, 'probe');
  const loss = async (v: number[][]): Promise<number> => {
    const { y } = await evaluate(reference64, op, v, seed, false);
    const w = new Rng(seed, 'weights');
    return y.reduce((total, yi) => total + yi * Math.fround(w.normal()), 0);
  };
  let g = 0;
  for (let i = 0; i < op.inputs.length; i++) {
    const x = op.inputs[i];
    if (!(x.grad ?? (x.dtype ?? 'f32') === 'f32')) continue;
    const grad = grads[g++];
    for (let probe = 0; probe < Math.min(3, values[i].length); probe++) {
      const at = rng.below(values[i].length);
      const h = 1e-5 * Math.max(1, Math.abs(values[i][at]));
      const moved = (d: number) => values.map((v, j) => (j === i ? v.map((e, k) => (k === at ? e + d : e)) : v));
      const slope = ((await loss(moved(h))) - (await loss(moved(-h)))) / (2 * h);
      if (!(Math.abs(slope - grad[at]) <= 1e-5 * Math.max(1, Math.abs(slope))))
        throw new Error(
          `input ${i}${show(x.shape)}[${at}]: central difference ${slope}, gradient of the mirror ${grad[at]}`,
        );
    }
  }
}

/** Throws at the first element that differs by more than the tolerance, or is not a number. */
export function assertClose(
  what: string,
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  { relative = 2e-5, absolute = 1e-6 }: Tolerance = {},
): void {
  if (got.length !== want.length) throw new Error(`${what}: ${got.length} values, expected ${want.length}`);
  let scale = 0;
  for (let i = 0; i < want.length; i++) scale = Math.max(scale, Math.abs(want[i]));
  for (let i = 0; i < want.length; i++)
    if (!(Math.abs(got[i] - want[i]) <= relative * scale + absolute))
      throw new Error(`${what}[${i}]: got ${got[i]}, expected ${want[i]} (allowed ±${relative * scale + absolute})`);
}

/** Sizes that find edges: 0 and 1, primes, one either side of a tile. */
export const uglySize: fc.Arbitrary<number> = fc.constantFrom(0, 1, 2, 3, 5, 7, 11, 13, 15, 16, 17, 31);
export const uglySizeAtLeast1: fc.Arbitrary<number> = fc.constantFrom(1, 2, 3, 5, 7, 11, 13, 15, 16, 17, 31);
