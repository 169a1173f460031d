import { check, whole } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { checkShape } from '../core/shape.js';
import { state, type Tensor, tensor } from '../tensor/tensor.js';

/**
 * The fixed 2-D sine-cosine position embedding of MoCo v3 (Chen et al., arXiv:2104.02057): [1, 1 + rows · columns,
 * width], zeros for the class token, then for the patch in row r and column c a quarter of the channels each of sin rω,
 * cos rω, sin cω, cos cω, with ω from 1 down towards 1/10000 by a constant ratio.
 */
export function positionEmbedding(rows: number, columns: number, width: number): Tensor {
  return state(tensor(positionValues(rows, columns, width), [1, 1 + rows * columns, width]));
}

/** Its values, row-major. */
export function positionValues(rows: number, columns: number, width: number): Float32Array<ArrayBuffer> {
  for (const [name, v] of Object.entries({ rows, columns, width })) check('positionEmbedding', name, v, whole(1));
  if (width % 4 !== 0)
    throw new ConfigError(`positionEmbedding: the width must be a multiple of 4; got ${width}. Choose another.`);
  checkShape('positionEmbedding', [1, 1 + rows * columns, width]);
  const values = new Float32Array((1 + rows * columns) * width);
  const quarter = width / 4;
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++)
      for (let i = 0; i < quarter; i++) {
        const omega = 10000 ** (-i / quarter);
        const at = (1 + r * columns + c) * width + i;
        [Math.sin(r * omega), Math.cos(r * omega), Math.sin(c * omega), Math.cos(c * omega)].forEach(
          (v, part) => (values[at + part * quarter] = v),
        );
      }
  return values;
}
