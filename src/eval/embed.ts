import { asTensor } from '../compile/inputs.js';
import { above0, anyNumber, callable, check, instance, listOf } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { binary } from '../core/numbers.js';
import { checkPictures } from '../data/check.js';
import type { PictureSource, Pictures } from '../data/picture-source.js';
import { checkNormalisation, evaluated, type Normalisation } from '../input/evaluation-crop.js';
import { InFlight } from '../input/in-flight.js';
import { AHEAD, checkAhead } from '../input/look-ahead.js';
import { StepPictures, shapeOf } from '../input/step-pictures.js';
import { evaluating } from '../nn/evaluating.js';
import type { Encoder } from '../nn/models.js';
import { Module } from '../nn/module.js';
import { noGrad } from '../tensor/autograd.js';
import { checkSameShape, type Tensor, tensor } from '../tensor/tensor.js';
import { tidy } from '../tensor/tidy.js';
import type { FeatureRows, Features } from './knn.js';

/** Pictures embedded at once. */
export const EMBEDDED = 256;

/**
 * Pooled features of every picture, without augmentation, by the model in evaluation mode (it is put back after). What
 * is seen of a picture depends on it and on `normalisation` alone: see `evaluated`.
 *
 * @param resident the pictures on the device; without it, pictures in memory go there first.
 * @param ahead batches of 256 streamed pictures that are decoded before their turn.
 * @param by `outputs` for those of the encoder's head instead.
 */
export async function embedPictures(
  model: Encoder,
  pictures: PictureSource,
  resident: Tensor | undefined,
  normalisation: Normalisation,
  ahead = AHEAD,
  by = features,
): Promise<Features> {
  checkEncoder('embedPictures', model);
  checkPictures('embedPictures', pictures);
  if (resident !== undefined)
    checkSameShape('embedPictures', 'the pictures on the device', resident, shapeOf(pictures));
  const { size, mean, std } = checkNormalisation('embedPictures', normalisation);
  checkAhead(ahead);
  check('embedPictures', 'by', by, callable);
  return evaluating(model, () => embed((x) => by(model, x), pictures, resident, { size, mean, std }, ahead));
}

/** Throws unless `model` is one that has features. */
export function checkEncoder(where: string, model: Encoder): void {
  check(
    where,
    'the encoder',
    model,
    { is: 'a model with embed() and features', holds: (v) => v instanceof Module && 'embed' in v && 'features' in v },
    'Build one with buildModel().',
  );
}

/** What the pictures are known by: the features before the encoder's head, or the outputs of the head. */
type By = (model: Encoder, x: Tensor) => Tensor;
const features: By = (model, x) => model.embed(x);
export const outputs: By = (model, x) => model.call(x);

async function embed(
  model: (x: Tensor) => Tensor,
  pictures: PictureSource,
  onDevice: Tensor | undefined,
  normalisation: Normalisation,
  ahead: number,
): Promise<Features> {
  const inFlight = new InFlight<void>(4);
  let values: Float32Array | undefined;
  const batches = Math.ceil(pictures.count / EMBEDDED);
  const indices = (i: number) =>
    Uint32Array.from({ length: Math.min(EMBEDDED, pictures.count - i * EMBEDDED) }, (_, j) => i * EMBEDDED + j);
  const set = new StepPictures(pictures, { of: indices }, { steps: batches, ahead }, onDevice);
  for (let i = 0; i < batches; i++) {
    const [own] = (await set.take(i)) ?? [];
    const part = tidy(() => {
      const places = set.placesOf(tensor(indices(i)));
      const seen = evaluated(
        set.onDevice(own && asTensor(set.hostPixels(own))),
        places,
        set.rowsOf(indices(i), own),
        normalisation,
      );
      const y = noGrad(() => model(seen));
      values ??= allocate(pictures.count, y.shape[1]);
      return y.data();
    });
    await inFlight.add(part.then((rows) => values!.set(rows, (i * EMBEDDED * values!.length) / pictures.count)));
  }
  await inFlight.all();
  values ??= new Float32Array(0); // of no pictures
  return { values, count: pictures.count, size: values.length / Math.max(1, pictures.count), labels: pictures.labels };
}

function allocate(count: number, size: number): Float32Array {
  try {
    return new Float32Array(count * size);
  } catch {
    throw new ConfigError(
      `features: they must fit into memory; got ${count} pictures of ${size} features, ` +
        `${binary(4 * count * size)}. Use fewer pictures a class (--limit).`,
    );
  }
}

/**
 * Raw pixels of pictures of one shape as features, less the mean of the pictures: what an encoder has to beat. Floats
 * take four times the memory.
 */
export function pixelFeatures(pictures: Pictures, mean: readonly number[], std: readonly number[]): Features {
  const { rows, ...about } = pixelRows(pictures, mean, std);
  return { ...about, values: rows(0, pictures.count) };
}

/** The same, made as they are needed. */
export function pixelRows(pictures: Pictures, mean: readonly number[], std: readonly number[]): FeatureRows {
  checkPictures('pixelFeatures', pictures);
  check(
    'pixelFeatures',
    'the data',
    pictures.data,
    instance(Uint8Array),
    'Load streamed pictures with loadPictures().',
  );
  check('pixelFeatures', 'mean', mean, listOf(anyNumber, 3));
  check('pixelFeatures', 'std', std, listOf(above0, 3));
  const { data, count, height, width, labels } = pictures;
  const size = height * width * 3;
  const rows = (first: number, some: number) => {
    const values = allocate(some, size);
    for (let i = 0, at = first * size; i < values.length; i++, at++)
      values[i] = (data[at] / 255 - mean[i % 3]) / std[i % 3];
    return values;
  };
  return { rows, count, size, labels };
}
