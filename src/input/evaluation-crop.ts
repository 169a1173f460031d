import { above0, anyNumber, check, isRecord, listOf, whole } from '../core/check.js';
import { evaluatedBox } from '../data/framing.js';
import { augment, normalizePictures } from '../ops/augment.js';
import { AUGMENT_COLUMNS, cropTable } from '../ops/augment_params.js';
import { type Tensor, tensor } from '../tensor/tensor.js';

/**
 * How pictures become inputs of an encoder: pixels of a side, and mean and standard deviation of each channel in [0,
 * 1].
 */
export interface Normalisation {
  size: number;
  mean: readonly number[];
  std: readonly number[];
}

/** How pictures are put to an encoder; other settings may stand beside it. @throws ConfigError for what cannot be. */
export function checkNormalisation(where: string, n: Normalisation): Normalisation {
  check(where, 'the normalisation', n, { is: 'an object of size, mean and std', holds: isRecord });
  check(where, 'the size', n.size, whole(1));
  check(where, 'mean', n.mean, listOf(anyNumber, 3));
  check(where, 'std', n.std, listOf(above0, 3));
  return n;
}

/**
 * Pictures as evaluation sees them, f32 [N, size, size, 3]: of a set of one shape whole; of shapes of their own, which
 * `rows` [N, 3] tells, as `evaluatedBox` says.
 */
export function evaluated(
  pictures: Tensor<'u8'>,
  index: Tensor<'u32'>,
  rows: Uint32Array | undefined,
  { size, mean, std }: Normalisation,
): Tensor {
  if (!rows) return normalizePictures(pictures, index, { size, mean, std });
  const N = rows.length / 3;
  const table = cropTable(N, (i) => evaluatedBox({ height: rows[3 * i + 1], width: rows[3 * i + 2] }, size));
  return augment(pictures, tensor(rows, [N, 3]), tensor(table, [N, AUGMENT_COLUMNS]), { size, mean, std });
}
