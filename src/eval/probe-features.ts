import { HostArray, type OnDevice } from '../compile/inputs.js';
import type { PictureSource } from '../data/picture-source.js';
import type { Normalisation } from '../input/evaluation-crop.js';
import { AHEAD } from '../input/look-ahead.js';
import { Batches, type PartSample, Sampler } from '../input/sampler.js';
import type { Encoder } from '../nn/models.js';
import { crops } from '../ops/augment_params.js';
import { noGrad } from '../tensor/autograd.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Features } from './knn.js';
import type { LinearConfig } from './linear-config.js';

/**
 * The batches of a linear evaluation, of which an epoch's last may be smaller, and the features its classifier sees of
 * them.
 */
export interface ProbeFeatures {
  readonly batches: Batches;
  /** What the step after `done` others takes, for `features`. */
  sample(done: number): Promise<ProbeSample>;
  /** f32 [index.size, features]. */
  features(sample: OnDevice<ProbeSample>): Tensor;
  /** Stops decoding for steps to come. */
  giveUp(): void;
}

/** What a step takes of its pictures: their numbers, and their features f32 [N, features] or how they are seen. */
export interface ProbeSample extends Partial<PartSample> {
  index: HostArray;
  rows?: HostArray;
}

/** Features computed once: those of the whole pictures. */
export function cachedFeatures(all: Features, config: LinearConfig): ProbeFeatures {
  const batches = new Batches(config, all.count, Math.ceil(all.count / config.batch));
  const sample = async (done: number) => {
    const index = batches.of(done);
    return { index: new HostArray(index), rows: new HostArray(rowsOf(all, index), [index.length, all.size]) };
  };
  return { batches, sample, features: ({ rows }) => rows!, giveUp: () => undefined };
}

/** Features of new crops and flips in each step. */
export function augmentedFeatures(
  encoder: Encoder,
  train: PictureSource,
  config: LinearConfig & Normalisation,
  ahead = AHEAD,
): ProbeFeatures {
  const { mean, std, cropMin } = config;
  const sampler = new Sampler(train, {
    ...config,
    smaller: true,
    views: [{ ...crops(cropMin), mean, std }],
    more: () => ({}),
    ahead,
  });
  return {
    batches: sampler.batches,
    sample: async (done) => (await sampler.sample(done)).parts[0],
    features: (part) => noGrad(() => encoder.embed(sampler.views(part as OnDevice<PartSample>)[0])),
    giveUp: () => sampler.giveUp(),
  };
}

/** The features of some pictures. */
export function featuresAt(all: Features, index: Uint32Array): Features {
  const labels = all.labels && index.map((i) => all.labels![i]);
  return { values: rowsOf(all, index), count: index.length, size: all.size, labels };
}

/** Rows of features; not held on the device, which may have no buffer so large. */
function rowsOf({ values, size }: Features, index: Uint32Array): Float32Array {
  const rows = new Float32Array(index.length * size);
  index.forEach((from, to) => rows.set(values.subarray(from * size, (from + 1) * size), to * size));
  return rows;
}
