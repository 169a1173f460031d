import { numel, type Shape } from '../src/core/shape.js';

/** The same numbers in every library and every run, evenly spread in [-1, 1). */
export function values(shape: Shape, seed = 1): Float32Array {
  const out = new Float32Array(numel(shape));
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  for (let i = 0; i < out.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    out[i] = state / 2 ** 31;
  }
  return out;
}

/** Whole numbers in 0 .. below - 1. */
export const labels = (count: number, below: number): Uint32Array =>
  Uint32Array.from({ length: count }, (_, i) => Math.imul(i + 1, 2654435761) >>> 8).map((v) => v % below);

/** Moves the last of four axes to the second place: NHWC to NCHW, and weights from ORSC to OCRS. */
export function channelsFirst(x: Float32Array, [A, H, W, C]: Shape): Float32Array {
  const out = new Float32Array(x.length);
  for (let a = 0; a < A; a++)
    for (let c = 0; c < C; c++)
      for (let i = 0; i < H * W; i++) out[(a * C + c) * H * W + i] = x[(a * H * W + i) * C + c];
  return out;
}

/** Weights from ORSC to RSCO, as tfjs keeps them. */
export function outputsLast(w: Float32Array, [O, R, S, C]: Shape): Float32Array {
  const out = new Float32Array(w.length);
  const rest = R * S * C;
  for (let o = 0; o < O; o++) for (let i = 0; i < rest; i++) out[i * O + o] = w[o * rest + i];
  return out;
}
