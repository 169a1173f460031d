import { evaluatedBox } from '../data/framing.js';
import { augment, normalizePictures } from '../ops/augment.js';
import { AUGMENT_COLUMNS, cropTable } from '../ops/augment_params.js';
import { type Tensor, tensor } from '../tensor/tensor.js';
import type { Normalisation } from '../eval/embed.js';

/**
 * Pictures as evaluation sees them, f32 [N, size, size, 3]: of a set of one shape whole; of shapes of their own, which `rows`
 * [N, 3] tells, as `evaluatedBox` says.
 */
export function evaluated(pictures: Tensor<'u8'>, index: Tensor<'u32'>, rows: Uint32Array | undefined, { size, mean, std }: Normalisation): Tensor {
  if (!rows) return normalizePictures(pictures, index, { size, mean, std });
  const N = rows.length / 3;
  const table = cropTable(N, (i) => evaluatedBox({ height: rows[3 * i + 1], width: rows[3 * i + 2] }, size));
  return augment(pictures, tensor(rows, [N, 3]), tensor(table, [N, AUGMENT_COLUMNS]), { size, mean, std });
}
