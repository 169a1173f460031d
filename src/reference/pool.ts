/** Sizes of a pooling: x [N, H, W, C], windows R by S, y [N, P, Q, C]. */
export interface PoolParams {
  N: number;
  H: number;
  W: number;
  C: number;
  R: number;
  S: number;
  P: number;
  Q: number;
  strideH: number;
  strideW: number;
  padH: number;
  padW: number;
}

/**
 * Calls `visit` for every output with its place in y and, row by row, the pixels of its window that exist: places in x
 * and in the window.
 */
export function windows(t: PoolParams, visit: (iy: number, pixels: { ix: number; place: number }[]) => void): void {
  for (let n = 0; n < t.N; n++)
    for (let p = 0; p < t.P; p++)
      for (let q = 0; q < t.Q; q++)
        for (let c = 0; c < t.C; c++) {
          const pixels: { ix: number; place: number }[] = [];
          for (let r = 0; r < t.R; r++)
            for (let s = 0; s < t.S; s++) {
              const h = p * t.strideH - t.padH + r;
              const w = q * t.strideW - t.padW + s;
              if (h >= 0 && h < t.H && w >= 0 && w < t.W)
                pixels.push({ ix: ((n * t.H + h) * t.W + w) * t.C + c, place: r * t.S + s });
            }
          visit(((n * t.P + p) * t.Q + q) * t.C + c, pixels);
        }
}
