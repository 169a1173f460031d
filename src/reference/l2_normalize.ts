import type { TypedArray } from '../core/dtype.js';
import type { Rows } from './row_dot.js';

/** y = x / max(‖x‖, eps), and ‖x‖² of every row. */
export function l2Normalize([x, y, squares]: TypedArray[], { rows, C, eps }: Rows & { eps: number }): void {
  for (let r = 0; r < rows; r++) {
    let total = 0;
    for (let c = 0; c < C; c++) total += x[r * C + c] ** 2;
    squares[r] = total;
    const norm = Math.sqrt(total);
    for (let c = 0; c < C; c++) y[r * C + c] = x[r * C + c] / Math.max(norm, eps);
  }
}

/** dx = (dy - y ⟨y, dy⟩) / ‖x‖, or dy / eps where ‖x‖ <= eps. */
export function l2NormalizeGrad([y, dy, squares, dx]: TypedArray[], { rows, C, eps }: Rows & { eps: number }): void {
  for (let r = 0; r < rows; r++) {
    const norm = squares[r] ** 0.5;
    let along = 0;
    for (let c = 0; c < C; c++) along += y[r * C + c] * dy[r * C + c];
    for (let c = 0; c < C; c++)
      dx[r * C + c] = norm <= eps ? dy[r * C + c] / eps : (dy[r * C + c] - along * y[r * C + c]) / norm;
  }
}
