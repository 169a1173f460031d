import { backend } from '../backend/backend.js';
import { ShapesBackend } from '../backend/shapes.js';
import { Rng } from '../core/rng.js';
import { checkShape } from '../core/shape.js';
import type { Module } from '../nn/module.js';
import { add, mul } from '../ops/binary.js';
import { mean } from '../ops/reduce.js';
import { reshape } from '../ops/reshape.js';
import { concat } from '../ops/strided.js';
import type { Optimizer } from '../optim/optimizer.js';
import { backward } from '../tensor/autograd.js';
import { empty, state, type Tensor } from '../tensor/tensor.js';
import { tidy } from '../tensor/tidy.js';

/** The pictures of one backward pass: a batch, or a part of one whose gradients add up. */
export interface Part {
  /** f32 [N, H, W, 3] each: random views of the same N pictures. A method of one view takes x1 only. */
  x1: Tensor;
  x2?: Tensor;
  /** u32 [N], the numbers of the pictures in the data set, all different. */
  index: Tensor;
  /** u32 [N] each: a random order of the part, and where in it each picture stands. */
  shuffle: Tensor;
  unshuffle: Tensor;
  /** u32 [K], numbers of pictures whose rows of the memory bank are the negatives. */
  negatives?: Tensor;
}

/** The loss of a guess, also as a formula, and how often a guess among the keys is right. */
export interface Chance {
  loss: number;
  formula: string;
  top1: number;
}

/** What schedules set anew for each step: f32 [1] each, the learning rate and the momentum. */
export interface Rates {
  lr: Tensor;
  m: Tensor;
}

/** The names and values that a checkpoint of a method holds; each kind is stored as PyTorch would. */
export type Saved =
  | { prefix: string; model: Module }
  | { prefix: string; optimizer: Optimizer }
  /** `turned`: [K, dim] on the device is [dim, K] in the file. */
  | { name: string; tensor: Tensor; turned?: boolean }
  /** u32 [1] on the device, a 64-bit integer in the file. */
  | { name: string; count: Tensor };

/** A way to learn an encoder from two views of a picture. All of MoCo's share this interface. */
export interface Method {
  /** The encoder that is evaluated and saved. */
  readonly encoder: Module;
  readonly optimizer: Optimizer;
  /** Random views of each picture that a step takes. */
  readonly views: 1 | 2;
  /** Rows of a memory bank that a part needs as `negatives`. */
  readonly sampled?: number;
  /** What an encoder that cannot tell keys apart comes to, for parts of N pictures. */
  chance(N: number): Chance;
  /** One training step. Returns f32 [3]: the loss, and how often the positive key is first and among the first five. */
  step(parts: readonly Part[], rates: Rates): Tensor;
  /** What a checkpoint must hold. */
  saved(): Iterable<Saved>;
}

/** Scalars that a part measures, with the keys f32 [n, dim] that it made, if they are needed after it. */
export interface Measures {
  loss: Tensor;
  top1: Tensor;
  top5: Tensor;
  keys?: Tensor;
}

/** The symmetrised loss: the sum of both directions, with the mean of their accuracies and the keys of both. */
export const both = (a: Measures, b: Measures): Measures => ({
  loss: add(a.loss, b.loss),
  top1: mul(add(a.top1, b.top1), 0.5),
  top5: mul(add(a.top5, b.top5), 0.5),
  keys: a.keys && b.keys && concat([a.keys, b.keys]),
});

/** What a step learned from a part: f32 [3], its loss, top-1 and top-5, and the keys it made, if they are needed. */
export interface Learned {
  measured: Tensor;
  keys?: Tensor;
}

/**
 * Adds the gradients of what a part measured, one of so many `parts`, to the parameters'. They are of the scaled loss
 * where the parameters have a loss scale.
 */
export function learn({ loss, top1, top5, keys }: Measures, parts: number, { parameters }: Optimizer): Learned {
  backward(parts === 1 ? loss : mul(loss, 1 / parts), parameters.lossScale?.seed(loss.shape));
  return { measured: concat([loss, top1, top5].map((x) => reshape(x, [1]))), keys: keys?.detach() };
}

/** What `parts.map` calls: of several, the memory of each is recycled after it. */
export const inTurn = <P, R>(parts: readonly P[], fn: (part: P) => R): ((part: P) => R) =>
  parts.length === 1 ? fn : (part) => tidy(() => fn(part));

/** f32 [3], the means of what the parts measured. */
export const meanOf = (parts: readonly Learned[]): Tensor =>
  parts.length === 1 ? parts[0].measured : mean(concat(parts.map((p) => reshape(p.measured, [1, 3]))), 0);

/** Rows [K, dim] of length 1 in random directions. */
export function randomRows(K: number, dim: number, seed: number): Float32Array {
  checkShape('queue', [K, dim]);
  const rng = new Rng(seed, 'queue');
  const rows = new Float32Array(K * dim);
  for (let i = 0; i < K; i++) {
    const row = Array.from({ length: dim }, () => rng.normal());
    const length = Math.hypot(...row);
    rows.set(
      row.map((v) => v / length),
      i * dim,
    );
  }
  return rows;
}

/** Such rows as state: what a queue or memory bank holds before any key. */
export function randomKeys(K: number, dim: number, seed: number): Tensor {
  const keys = empty([K, dim]); // before the host's memory is filled: an adapter may have no such room
  if (!(backend() instanceof ShapesBackend)) keys.set(randomRows(K, dim, seed));
  return state(keys);
}
