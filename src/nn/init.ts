import { backend } from '../backend/backend.js';
import { change, context } from '../backend/context.js';
import { ShapesBackend } from '../backend/shapes.js';
import { check, type Rule, whole } from '../core/check.js';
import { Rng } from '../core/rng.js';
import { checkShape, numel, type Shape } from '../core/shape.js';
import { empty, parameter, state, type Tensor, tensor } from '../tensor/tensor.js';

const seeds = whole(0, 2 ** 32 - 1);

/** A whole number, or a generator that several layers share. */
export type Seed = number | Rng;

/** What the option `seed` of a layer must be. */
export const seedRule: Rule = {
  is: 'a whole number in [0, 4294967295], or an Rng',
  holds: (v) => v instanceof Rng || seeds.holds(v),
};

declare module '../backend/context.js' {
  interface Context {
    /** Where layers that name no seed take their random values from. */
    rng?: Rng;
  }
}

/** Layers that are made from now on without a seed start from the same values in every program; 0 to begin with. */
export function manualSeed(seed: number): void {
  check('manualSeed', 'the seed', seed, seeds);
  change({ rng: new Rng(seed, 'manualSeed') });
}

/** The generator that a layer takes its first values from. */
export function generatorOf(seed?: Seed): Rng {
  if (seed !== undefined) return seed instanceof Rng ? seed : new Rng(seed, 'layer');
  if (!context.rng) manualSeed(0);
  return context.rng!;
}

/** A parameter of values sampled one after the other. */
function sampled(shape: Shape, sample: () => number): Tensor {
  checkShape('parameter', shape);
  // a model of 86 million values takes a while to sample
  if (backend() instanceof ShapesBackend) return parameter(empty(shape));
  const values = new Float32Array(numel(shape));
  for (let i = 0; i < values.length; i++) values[i] = sample();
  return parameter(tensor(values, shape));
}

/** Normal with mean 0. */
export const normal = (rng: Rng, shape: Shape, std: number): Tensor => sampled(shape, () => std * rng.normal());

/** Uniform in ±bound. */
export const uniform = (rng: Rng, shape: Shape, bound: number): Tensor =>
  sampled(shape, () => rng.uniform(-bound, bound));

/** A parameter of one value. */
export const constant = (shape: Shape, value: number): Tensor => sampled(shape, () => value);

/** A buffer of one value: state without gradients. */
export function buffer(shape: Shape, value: number): Tensor {
  checkShape('buffer', shape);
  return state(tensor(new Float32Array(numel(shape)).fill(value), shape));
}
