import { type Backend, checkBackend } from '../backend/backend.js';
import { within } from '../backend/context.js';
import { Rng } from '../core/rng.js';
import { numel, type Shape } from '../core/shape.js';
import { type Tensor, tensor } from '../tensor/tensor.js';
import { tidy } from '../tensor/tidy.js';
import { conv2d } from './conv2d.js';
import { matmul } from './matmul.js';

/** How far a kernel is from its mirror. */
export interface Checked {
  readonly name: string;
  /** Largest difference, relative to the largest value. */
  readonly error: number;
  readonly passed: boolean;
}

/** Sums of about a hundred f32 products, in any order, stay well below. */
const TOLERANCE = 1e-5;

const cases: { name: string; shapes: Shape[]; f: (a: Tensor, b: Tensor) => Tensor }[] = [
  {
    name: 'matmul',
    shapes: [
      [65, 97],
      [97, 33],
    ],
    f: matmul,
  },
  {
    name: 'conv2d',
    shapes: [
      [2, 13, 11, 5],
      [7, 3, 3, 5],
    ],
    f: (x, w) => conv2d(x, w, { stride: 2, padding: 1 }),
  },
  {
    name: 'conv2d',
    shapes: [
      [2, 16, 16, 16],
      [32, 3, 3, 16],
    ],
    f: (x, w) => conv2d(x, w, { padding: 1 }),
  },
];

/**
 * Whether the device `on` computes as it should: a product of matrices and convolutions against plain loops on the CPU.
 */
export async function selfCheck(on: Backend): Promise<Checked[]> {
  checkBackend('selfCheck', on);
  const { ReferenceBackend } = await import('../backend/reference.js');
  const exact = new ReferenceBackend('f64');
  const results: Checked[] = [];
  for (const { name, shapes, f } of cases) {
    const rng = new Rng(1, name);
    const inputs = shapes.map((shape) => Float32Array.from({ length: numel(shape) }, () => rng.normal()));
    const compute = (backend: Backend) =>
      within({ backend }, () => tidy(() => f(tensor(inputs[0], shapes[0]), tensor(inputs[1], shapes[1]))).data());
    const [got, want] = [await compute(on), await compute(exact)];
    let [largest, off] = [0, 0];
    for (let i = 0; i < want.length; i++) {
      largest = Math.max(largest, Math.abs(want[i]));
      off = Math.max(off, Math.abs(got[i] - want[i])); // NaN stays, and does not pass
    }
    results.push({
      name: `${name} of ${shapes.map((s) => s.join('×')).join(' and ')}`,
      error: off / largest,
      passed: off <= TOLERANCE * largest,
    });
  }
  return results;
}
