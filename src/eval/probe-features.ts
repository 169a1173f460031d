import { noGrad } from '../tensor/autograd.js';
import type { TypedArray } from '../core/dtype.js';
import { AHEAD } from '../input/look-ahead.js';
import type { PictureSource } from '../data/picture-source.js';
import type { Encoder } from '../nn/models.js';
import { augment } from '../ops/augment.js';
import { AUGMENT_COLUMNS, type Augmentation, crops, drawAugmentation } from '../ops/augment_params.js';
import { reshape } from '../ops/reshape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Batches } from '../input/batches.js';
import type { Normalisation } from '../input/evaluation-crop.js';
import type { Features } from './knn.js';
import type { LinearConfig } from './linear-config.js';
import { StepPictures } from '../input/step-pictures.js';

/** The batches of a linear evaluation, of which an epoch's last may be smaller, and the features its classifier sees of them. */
export interface ProbeFeatures {
  readonly batches: Batches;
  /** What the step after `done` others takes besides its pictures' indices, for `features`. */
  inputs(done: number): Promise<TypedArray[]>;
  /** f32 [index.size, features]. */
  features(index: Tensor, inputs: Tensor[]): Tensor;
  /** Stops decoding for steps to come. */
  giveUp(): void;
}

const batchesOf = (config: LinearConfig, count: number) => new Batches(config, count, Math.ceil(count / config.batch));

/** Features computed once: those of the whole pictures. */
export function cachedFeatures(all: Features, config: LinearConfig): ProbeFeatures {
  const batches = batchesOf(config, all.count);
  const features = (index: Tensor, [rows]: Tensor[]) => reshape(rows, [index.size, all.size]);
  const inputs = async (done: number) => [rowsOf(all, batches.of(done))];
  return { batches, inputs, features, giveUp: () => undefined };
}

/** Features of new crops and flips in each step. */
export function augmentedFeatures(
  encoder: Encoder, train: PictureSource, config: LinearConfig & Normalisation, ahead = AHEAD,
): ProbeFeatures {
  const { seed, epochs, size, mean, std, cropMin } = config;
  const batches = batchesOf(config, train.count);
  const { height, width } = train;
  const augmentation: Augmentation = { ...crops(cropMin), mean, std };
  const pictures = new StepPictures(train, batches, { steps: epochs * batches.stepsPerEpoch, ahead });
  const inputs = async (done: number) => {
    const own = await pictures.take(done);
    const indices = batches.of(done);
    const places = pictures.rowsOf(indices, own);
    const table = drawAugmentation(augmentation, { seed, epoch: batches.epochOf(done), view: 0, indices, height, width, places });
    return [table, ...(places ? [places] : []), ...(own ? [own[0].data] : [])];
  };
  const features = (index: Tensor, [table, ...more]: Tensor[]) => {
    const rows = pictures.manyShapes ? more[0] : undefined;
    const set = pictures.onDevice(() => more.at(-1)!);
    return noGrad(() => encoder.embed(augment(set, pictures.placesOf(index, rows), reshape(table, [index.size, AUGMENT_COLUMNS]), { size, mean, std })));
  };
  return { batches, inputs, features, giveUp: () => pictures.giveUp() };
}

/** The features of some pictures. */
export function featuresAt(all: Features, index: Uint32Array): Features {
  const labels = all.labels && index.map((i) => all.labels![i]);
  return { values: rowsOf(all, index), count: index.length, size: all.size, labels };
}

/** Rows of features; not kept on the device, which may have no buffer so large. */
function rowsOf({ values, size }: Features, index: Uint32Array): Float32Array {
  const rows = new Float32Array(index.length * size);
  index.forEach((from, to) => rows.set(values.subarray(from * size, (from + 1) * size), to * size));
  return rows;
}
