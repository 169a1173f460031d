import type { TypedArray } from '../core/dtype.js';

/** A copy between two strided boxes of the same shape. */
export interface StridedParams {
  shape: readonly number[];
  xStart: number;
  xStrides: readonly number[];
  yStart: number;
  yStrides: readonly number[];
}

/** y[yStart + i·yStrides] = x[xStart + i·xStrides] for every i in `shape`. */
export function strided([x, y]: TypedArray[], { shape, xStart, xStrides, yStart, yStrides }: StridedParams): void {
  const walk = (axis: number, ix: number, iy: number): void => {
    if (axis === shape.length) {
      y[iy] = x[ix];
      return;
    }
    for (let i = 0; i < shape[axis]; i++) walk(axis + 1, ix + i * xStrides[axis], iy + i * yStrides[axis]);
  };
  walk(0, xStart, yStart);
}
