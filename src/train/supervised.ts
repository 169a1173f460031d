import { backward, noGrad } from '../tensor/autograd.js';
import { backend } from '../backend/backend.js';
import { compile } from '../compile/compile.js';
import { check, oneOf } from '../core/check.js';
import type { TypedArray } from '../core/dtype.js';
import { ConfigError } from '../core/errors.js';
import { Rng } from '../core/rng.js';
import { mean } from '../core/statistics.js';
import { placeRows } from '../data/pictures.js';
import type { Pictures } from '../data/picture-source.js';
import { evaluating } from '../nn/evaluating.js';
import { familyOf } from '../nn/families.js';
import { type Encoder, models } from '../nn/models.js';
import { augment } from '../ops/augment.js';
import { AUGMENT_COLUMNS, type Augmentation, crops, drawAugmentation } from '../ops/augment_params.js';
import { crossEntropy } from '../ops/cross_entropy.js';
import { withPrecision } from '../ops/precision.js';
import { pick } from '../ops/pick.js';
import { reshape } from '../ops/reshape.js';
import { concat } from '../ops/strided.js';
import { FlatParameters } from '../optim/flat.js';
import { warmupCosine } from '../optim/schedule.js';
import { tidy } from '../tensor/tidy.js';
import { type Tensor, tensor } from '../tensor/tensor.js';
import { checkSettings, type PretrainConfig } from '../moco/config.js';
import { accuracy } from '../moco/contrast.js';
import { checkEncoder } from '../eval/embed.js';
import { checkHooks, checkSets } from '../input/sets.js';
import { optimizerOf } from '../moco/create.js';
import { evaluated } from '../input/evaluation-crop.js';
import { divergedAt, notFinite, notFiniteParameters } from './diverged.js';
import { lacking, SKIPPED, skippedText } from '../eval/monitors.js';
import { resident } from '../input/step-pictures.js';

const needed = ['epochs', 'batch', 'optimizer', 'lr', 'momentum', 'weightDecay', 'warmup', 'size', 'cropMin', 'mean', 'std', 'seed', 'precision'] as const;
type Needed = Exclude<(typeof needed)[number], 'precision'>;

/**
 * What supervised training depends on, besides its model and pictures. `lr` is the highest rate, whatever the batch; `precision`
 * is f32 if left out, and accuracy is measured in f32.
 */
export type SupervisedConfig = Pick<PretrainConfig, Needed> & Partial<Pick<PretrainConfig, 'precision'>>;

/** What an epoch ended with: the mean training loss of its steps, and the accuracy on held-out pictures. */
export interface ClassifierEpoch {
  epoch: number;
  loss: number;
  accuracy: number;
  /** With precision f16: the loss scale of the next step, and steps skipped so far; the loss leaves them out, and is NaN where all were. */
  lossScale?: number;
  skipped?: number;
}

/** How a supervised training is watched and stopped. */
export interface ClassifierHooks {
  /** After each epoch, with what was measured on the held-out pictures. */
  onEpoch?(record: ClassifierEpoch): void;
  /** Something that looks wrong, in a sentence. */
  onWarning?(text: string): void;
  /** Stops after the epoch under way. */
  signal?: AbortSignal;
}

/** Pictures put to the model at once when it is measured, and steps that are not read back yet. */
const [ROWS, IN_FLIGHT] = [256, 3];
const WHERE = 'classifier';

/** The optimizer and rates that classifiers start from: those of the model's family. */
export function supervisedRecipe(model: string): Pick<SupervisedConfig, 'optimizer' | 'lr' | 'momentum' | 'weightDecay' | 'warmup'> {
  check('supervisedRecipe', 'the model', model, oneOf(...Object.keys(models)), 'Choose one.');
  return { ...familyOf(model).recipe.supervised };
}

/**
 * Trains the whole model to tell classes by cross-entropy: random crops and flips, a learning rate that warms up and
 * falls along a cosine. The same seed on the same adapter gives the same bits.
 *
 * @param model [N, size, size, 3] -> [N, classes]
 * @returns what each epoch ended with.
 * @throws DivergedError a few steps after the loss was not finite, or at the end of an epoch if a parameter is not.
 */
export async function trainClassifier(
  model: Encoder, sets: { train: Pictures; heldOut: Pictures }, config: SupervisedConfig, hooks: ClassifierHooks = {},
): Promise<ClassifierEpoch[]> {
  checkEncoder('trainClassifier', model);
  checkSets('trainClassifier', sets);
  checkHooks('trainClassifier', hooks, ['onEpoch', 'onWarning']);
  const { train, heldOut } = sets;
  checkTraining(train, heldOut, config);
  for (const text of lacking(config.precision ?? 'f32', backend())) hooks.onWarning?.(text);
  const [{ advance, parameters }, measure] = [stepper(model, train, config), measurer(model, heldOut, config)];
  const records: ClassifierEpoch[] = [];
  while (records.length < config.epochs && !hooks.signal?.aborted) {
    const { loss, ...scaled } = await runEpoch(advance, train, config, records.length, hooks);
    const got = await notFiniteParameters(parameters);
    if (got !== undefined) throw divergedAt(WHERE, (records.length + 1) * Math.floor(train.count / config.batch), got, config);
    const record = { epoch: records.length + 1, loss, accuracy: await measure(), ...scaled };
    records.push(record);
    hooks.onEpoch?.(record);
  }
  return records;
}

type Advance = (index: Uint32Array, table: Float32Array, labels: Uint32Array, lr: number, places?: Uint32Array) => Promise<Tensor>;

/** A step of training, recorded once: its loss and, if that is scaled, the state of the scale. */
function stepper(model: Encoder, train: Pictures, config: SupervisedConfig): { advance: Advance; parameters: FlatParameters } {
  const { size, mean: mid, std } = config;
  const pictures = resident(train);
  const optimizer = optimizerOf(config, new FlatParameters(model));
  const { lossScale } = optimizer.parameters;
  lossScale?.protect([model]);
  const compiled = compile((index: Tensor, table: Tensor, labels: Tensor, lr: Tensor, ...places: Tensor[]) => {
    lossScale?.keep();
    const x = augment(pictures, places.length > 0 ? reshape(places[0], [config.batch, 3]) : index, reshape(table, [config.batch, AUGMENT_COLUMNS]), { size, mean: mid, std });
    const loss = withPrecision(config.precision ?? 'f32', () => crossEntropy(model.call(x), labels));
    backward(loss, lossScale?.seed(loss.shape));
    optimizer.step(lr);
    return lossScale ? concat([reshape(loss, [1]), lossScale.state]).detach() : loss.detach();
  });
  const advance: Advance = (index, table, labels, lr, places) =>
    compiled.async(index, table, labels, Float32Array.of(lr), ...(places ? [places] : []));
  return { advance, parameters: optimizer.parameters };
}

/** Trains one epoch, whose draws depend on its number alone. */
async function runEpoch(
  advance: Advance, { count, labels, height, width, places: rows }: Pictures, config: SupervisedConfig, epoch: number, { onWarning }: ClassifierHooks,
): Promise<Omit<ClassifierEpoch, 'epoch' | 'accuracy'>> {
  const { batch, seed, warmup, epochs, cropMin, mean: mid, std } = config;
  const view: Augmentation = { ...crops(cropMin), mean: mid, std };
  const order = new Rng(seed, 'order', epoch).permutation(count);
  const steps = Math.floor(count / batch);
  const measured: Promise<TypedArray>[] = [];
  for (let i = 0; i < steps; i++) {
    const index = order.slice(i * batch, (i + 1) * batch);
    const places = placeRows({ places: rows }, index);
    const table = drawAugmentation(view, { seed, epoch, view: 0, indices: index, height, width, places });
    const lr = warmupCosine(config.lr, epoch + i / steps, warmup, epochs);
    const values = (await advance(index, table, index.map((n) => labels![n]), lr, places)).data();
    measured.push(values.then((v) => checked(v, epoch * steps + i + 1, { ...config, lr }, onWarning)));
    measured.at(-1)!.catch(() => undefined); // awaited in its turn
    await measured.at(-1 - IN_FLIGHT);
  }
  const all = await Promise.all(measured);
  const loss = mean(all.filter(([, , , , inRow = 0]) => inRow === 0).map(([l]) => l));
  const [, lossScale, , skipped] = all.at(-1)!;
  return lossScale === undefined ? { loss } : { loss, lossScale, skipped };
}

/** What a step measured, unless that says that training has diverged. */
function checked(values: TypedArray, at: number, setting: Pick<SupervisedConfig, 'lr' | 'precision'>, onWarning: ClassifierHooks['onWarning']): TypedArray {
  const [loss, lossScale, , , inRow] = values;
  if (inRow === SKIPPED) onWarning?.(skippedText(at, lossScale));
  const got = notFinite({ loss, inRow, lossScale });
  if (got !== undefined) throw divergedAt(WHERE, at, got, setting);
  return values;
}

/** Accuracy on pictures as evaluation sees them; the model is put back in its mode. */
function measurer(model: Encoder, heldOut: Pictures, config: SupervisedConfig): () => Promise<number> {
  const pictures = resident(heldOut);
  return () => evaluating(model, async () => {
    let right = 0;
    for (let first = 0; first < heldOut.count; first += ROWS) {
      const index = Uint32Array.from({ length: Math.min(ROWS, heldOut.count - first) }, (_, i) => first + i);
      const labels = index.map((n) => heldOut.labels![n]);
      const [top1] = await tidy(() => noGrad(() => {
        const logits = model.call(evaluated(pictures, tensor(index), placeRows(heldOut, index), config));
        return accuracy(logits, pick(logits, tensor(labels))).top1.data();
      }));
      right += Math.round(top1 * index.length);
    }
    return right / heldOut.count;
  });
}

/** Checks what does not depend on pictures. @throws ConfigError */
export function checkSupervised(config: SupervisedConfig): void {
  checkSettings('trainClassifier', { ...config, precision: config?.precision ?? 'f32' }, needed);
  const { warmup, epochs } = config;
  if (warmup >= epochs) throw new ConfigError(`warmup: it must end before the last epoch; got ${warmup} of ${epochs} epochs. Shorten it.`);
}

function checkTraining(train: Pictures, heldOut: Pictures, config: SupervisedConfig): void {
  checkSupervised(config);
  const { batch } = config;
  if (!train.labels || !train.classes || !heldOut.labels) throw new ConfigError('classifier: pictures must have classes; got none. Sort them into folders by class.');
  if (heldOut.count === 0) throw new ConfigError('classifier: there must be held-out pictures to measure accuracy; got none. Hold out a part of 0.2.');
  if (batch > train.count)
    throw new ConfigError(
      `batch: it must be a whole number above 1 and at most the ${train.count} pictures to train on; ` +
        `got ${batch}. Use a batch of ${Math.min(32, train.count)}.`,
    );
}
