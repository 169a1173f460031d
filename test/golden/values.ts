/**
 * Numbers that golden.py makes by the same rule: from a hash of a name and of an element's index, so that inputs and
 * parameters of whole networks need not be stored.
 */
import { torchShape, turn } from '../../src/checkpoints/module-state.js';
import { type Tensor, tensor } from '../../src/tensor/tensor.js';

/** A bijection of 32-bit numbers that scatters them. */
export function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

const nameHash = (name: string): number =>
  new TextEncoder().encode(name).reduce((h, byte) => Math.imul(h ^ byte, 0x01000193), 0x811c9dc5) >>> 0;

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** n numbers in [0, 1), multiples of 2^-24. */
export function units(name: string, n: number): Float64Array {
  const [h, u] = [nameHash(name), new Float64Array(n)]; // a loop, because networks have 25 million parameters
  for (let i = 0; i < n; i++) u[i] = (mix(mix(i) ^ h) >>> 8) * 2 ** -24;
  return u;
}

/** offset + U(±bound), rounded to f32. */
export const even = (name: string, shape: readonly number[], offset = 0, bound = 1): Float32Array =>
  new Float32Array(units(name, sizeOf(shape)).map((u) => offset + bound * (2 * u - 1)));

/**
 * A parameter or running statistic as every case begins with it. The momentum encoder shares the frozen patch
 * projection.
 */
export function initial(name: string, shape: readonly number[]): Float32Array {
  name = name.replace('momentum_encoder.patch_embed', 'base_encoder.patch_embed');
  if (name.endsWith('running_var')) return even(name, shape, 1.25, 0.25);
  if (name.endsWith('running_mean')) return even(name, shape, 0, 0.1);
  if (shape.length === 1) return name.endsWith('weight') ? even(name, shape, 1, 0.2) : even(name, shape, 0, 0.1);
  if (shape.length === 2) return even(name, shape, 0, Math.sqrt(3 / shape[1]));
  if (shape.length === 4) return even(name, shape, 0, Math.sqrt(6 / sizeOf(shape.slice(1))));
  return even(name, shape, 0, 0.5);
}

export function permutation(name: string, n: number): Uint32Array {
  const u = units(name, n);
  return Uint32Array.from({ length: n }, (_, i) => i).sort((a, b) => u[a] - u[b] || a - b);
}

/** A queue [dim, K] of columns of length 1. */
export function unitColumns(name: string, dim: number, K: number): Float32Array {
  const q = even(name, [dim, K]);
  const lengths = Array.from({ length: K }, (_, j) =>
    Math.hypot(...Array.from({ length: dim }, (_, d) => q[d * K + j])),
  );
  return q.map((v, i) => v / lengths[i % K]);
}

/** A smooth picture with grain and some exact ties, u8 [H, W, 3]. */
export function picture(H: number, W: number): Uint8Array {
  const [u, x] = [units('picture', H * W * 3), new Uint8Array(H * W * 3)];
  const corners = [
    [128, 128, 128],
    [0, 0, 0],
    [127, 128, 127],
    [255, 0, 255],
  ]; // of 4 × 4 pixels each
  for (let i = 0; i < H; i++)
    for (let j = 0; j < W; j++) {
      const smooth = [(5 * i + 2 * j) % 256, (3 * j + 40) % 256, (456 - 4 * i + j) % 256];
      const corner = i < 8 && j < 8 ? corners[2 * (i >> 2) + (j >> 2)] : undefined;
      for (let k = 0; k < 3; k++) {
        const at = (i * W + j) * 3 + k;
        x[at] = corner ? corner[k] : Math.min(255, Math.max(0, smooth[k] + Math.floor(61 * u[at]) - 30));
      }
    }
  return x;
}

/** Pictures that PyTorch has as [N, 3, side, side]. */
export const pictures = (name: string, N: number, side: number): Tensor =>
  tensor(turn(even(name, [N, 3, side, side], 0, 1.75), N, 3, side * side), [N, side, side, 3]);

/** The initial values of a tensor of the engine, in PyTorch's order. */
export const initialOf = (name: string, t: Tensor): Float32Array => initial(name, torchShape(t.shape));

/** A scalar as a tensor. */
export const scalar = (v: number): Tensor => tensor([v], [1]);
