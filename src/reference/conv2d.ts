import type { TypedArray } from '../core/dtype.js';
import { tileStats } from './tile_stats.js';

/** Sizes of a convolution: x [N, H, W, C], w [O, R, S, C / groups], y [N, P, Q, O]. */
export interface Conv2dParams {
  N: number;
  H: number;
  W: number;
  C: number;
  O: number;
  R: number;
  S: number;
  P: number;
  Q: number;
  strideH: number;
  strideW: number;
  padH: number;
  padW: number;
  dilationH: number;
  dilationW: number;
  groups: number;
  /** 1: tensor cores may round the factors to half precision, where the adapter has them. */
  half?: 0 | 1;
  /** 1: a GPU may not make halves of f32 factors. */
  exact?: 1;
}

/** Calls `visit(iy, ix, iw)` for every product that a convolution sums: places in y, x and w. */
function products(p: Conv2dParams, visit: (iy: number, ix: number, iw: number) => void): void {
  const Cg = p.C / p.groups;
  const Og = p.O / p.groups;
  for (let n = 0; n < p.N; n++)
    for (let i = 0; i < p.P; i++)
      for (let j = 0; j < p.Q; j++)
        for (let o = 0; o < p.O; o++)
          for (let r = 0; r < p.R; r++)
            for (let s = 0; s < p.S; s++) {
              const h = i * p.strideH - p.padH + r * p.dilationH;
              const w = j * p.strideW - p.padW + s * p.dilationW;
              if (h < 0 || h >= p.H || w < 0 || w >= p.W) continue;
              const c0 = Math.floor(o / Og) * Cg;
              for (let c = 0; c < Cg; c++)
                visit(
                  ((n * p.P + i) * p.Q + j) * p.O + o,
                  ((n * p.H + h) * p.W + w) * p.C + c0 + c,
                  ((o * p.R + r) * p.S + s) * Cg + c,
                );
            }
}

/** A sum in double precision, rounded once into `to`. */
function scatter(to: TypedArray, fill: (total: Float64Array) => void): void {
  const total = new Float64Array(to.length);
  fill(total);
  to.set(total);
}

/** y = x * w. */
export function conv2d([x, w, y]: TypedArray[], p: Conv2dParams): void {
  scatter(y, (total) => products(p, (iy, ix, iw) => (total[iy] += x[ix] * w[iw])));
}

/** y = x * w, and the statistics of its channels over tiles of `tile` pixels. */
export function conv2dStats([x, w, y, mean, m2]: TypedArray[], p: Conv2dParams & { tile: number }): void {
  conv2d([x, w, y], p);
  tileStats([y, mean, m2], { C: p.O, tile: p.tile });
}

/** dx: every product of y's pixel sends dy · w back to x's. */
export function conv2dDx([dy, w, dx]: TypedArray[], p: Conv2dParams): void {
  scatter(dx, (total) => products(p, (iy, ix, iw) => (total[ix] += dy[iy] * w[iw])));
}

/** dw: every product of y's pixel sends dy · x back to w's. */
export function conv2dDw([x, dy, dw]: TypedArray[], p: Conv2dParams): void {
  scatter(dw, (total) => products(p, (iy, ix, iw) => (total[iw] += dy[iy] * x[ix])));
}
