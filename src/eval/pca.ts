import { check, whole } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { Rng } from '../core/rng.js';
import { add, mul, sub } from '../ops/binary.js';
import { l2Normalize } from '../ops/l2_normalize.js';
import { matmul } from '../ops/matmul.js';
import { zeros } from '../tensor/fill.js';
import { type Tensor, tensor } from '../tensor/tensor.js';
import { tidy } from '../tensor/tidy.js';
import { checkFeatures, type Features } from './knn.js';

/** The directions along which features vary most. */
export interface Pca {
  /** f32 [k, size], orthonormal rows, each with its largest entry above 0; a row of zeros where nothing varies. */
  components: Float32Array;
  /** f32 [k], the variance along each, the largest first. */
  variances: Float32Array;
  /** f32 [count, k], the features less their mean along each. */
  projected: Float32Array;
}

const [TURNS, ROUNDS] = [25, 40]; // multiplications between two looks, and looks at most
const SAME = 1e-7; // of a direction between two looks, 1 - |cosine|: what f32 tells apart

/** Bytes of features that are on the device at once. */
const BLOCK = 2 ** 26;

/**
 * Principal components by power iteration on the covariance, which is made and, after each component, deflated on the
 * device.
 */
export async function pca(features: Pick<Features, 'values' | 'count' | 'size'>, k = 2): Promise<Pca> {
  checkFeatures('pca', 'the features', features);
  const { count, size } = features;
  check('pca', 'k', k, whole(1, size), `There are ${size} features.`);
  if (count < 2) throw new ConfigError(`pca: there must be at least two pictures to vary; got ${count}. Pass more.`);
  const mean = meanOf(features);
  let C = tidy(() => zeros([size, size])); // covariance
  for (const X of blocks(features, mean))
    C = tidy(() => add(C, mul(matmul(X, X, { transposeA: true }), 1 / (count - 1))));
  const found: Tensor[] = [];
  const variances = new Float32Array(k);
  for (let i = 0; i < k; i++) {
    const v = await direction(C, i);
    // v C vᵀ
    const [variance] = (await tidy(() => matmul(matmul(v, C), v, { transposeB: true }).data())) as Float32Array;
    [variances[i], C] = [variance, tidy(() => sub(C, mul(matmul(v, v, { transposeA: true }), variance)))];
    found.push(v);
  }
  const [components, projected] = [new Float32Array(k * size), new Float32Array(count * k)];
  for (const [i, v] of found.entries()) components.set(await v.data(), i * size);
  let at = 0;
  for (const X of blocks(features, mean)) {
    const rows = await tidy(() => matmul(X, tensor(components, [k, size]), { transposeB: true }).data());
    projected.set(rows, at);
    at += rows.length;
  }
  return { components, variances, projected };
}

function meanOf({ values, count, size }: Pick<Features, 'values' | 'count' | 'size'>): Float64Array {
  const mean = new Float64Array(size);
  for (let i = 0; i < values.length; i++) mean[i % size] += values[i] / count;
  return mean;
}

/** The features less their mean, block by block. */
function* blocks(
  { values, count, size }: Pick<Features, 'values' | 'count' | 'size'>,
  mean: Float64Array,
): Generator<Tensor> {
  const rows = Math.max(1, Math.floor(BLOCK / 4 / size));
  for (let first = 0; first < count; first += rows) {
    const part = values.slice(first * size, (first + rows) * size);
    for (let i = 0; i < part.length; i++) part[i] -= mean[i % size];
    yield tensor(part, [part.length / size, size]);
  }
}

/** The eigenvector of the largest eigenvalue of C, [1, size], with its largest entry above 0. */
async function direction(C: Tensor, number: number): Promise<Tensor> {
  const [size] = C.shape;
  const rng = new Rng(0, 'pca', number);
  let row: ArrayLike<number> = Float32Array.from({ length: size }, () => rng.normal());
  for (let round = 0; round < ROUNDS; round++) {
    const turned = (await tidy(() => {
      let v = tensor(new Float32Array(row), [1, size]);
      for (let i = 0; i < TURNS; i++) v = l2Normalize(matmul(v, C));
      return v.data();
    })) as Float32Array;
    const cosine = turned.reduce((sum, v, i) => sum + v * row[i], 0);
    row = turned;
    if (round > 0 && 1 - Math.abs(cosine) < SAME) break;
    if (turned.every((v) => v === 0)) break;
  }
  let largest = 0;
  for (let i = 0; i < size; i++) if (Math.abs(row[i]) > Math.abs(largest)) largest = row[i];
  const axis = new Float32Array(row);
  return tensor(largest < 0 ? axis.map((v) => -v) : axis, [1, size]);
}
