import { backend } from '../backend/backend.js';
import { type Compiled, compile } from '../compile/compile.js';
import { HostArray, type OnDevice } from '../compile/inputs.js';
import { check, oneOf } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { mean } from '../core/statistics.js';
import { checkHooks, checkSets } from '../data/check.js';
import type { Pictures } from '../data/picture-source.js';
import { placeRows } from '../data/pictures.js';
import { checkEncoder } from '../eval/embed.js';
import { lacking, SKIPPED, skippedText } from '../eval/monitors.js';
import { evaluated } from '../input/evaluation-crop.js';
import { InFlight } from '../input/in-flight.js';
import { type PartSample, Sampler } from '../input/sampler.js';
import { resident } from '../input/step-pictures.js';
import { checkSettings, type PretrainConfig } from '../moco/config.js';
import { accuracy } from '../moco/contrast.js';
import { evaluating } from '../nn/evaluating.js';
import { familyOf } from '../nn/families.js';
import { type Encoder, models } from '../nn/models.js';
import { crops } from '../ops/augment_params.js';
import { crossEntropy } from '../ops/cross_entropy.js';
import { type Packed, pack, type Unpacked, unpack } from '../ops/pack.js';
import { pick } from '../ops/pick.js';
import { withPrecision } from '../ops/precision.js';
import { FlatParameters } from '../optim/flat.js';
import { optimizerOf } from '../optim/optimizer-of.js';
import { warmupCosine } from '../optim/schedule.js';
import { backward, noGrad } from '../tensor/autograd.js';
import { type Tensor, tensor } from '../tensor/tensor.js';
import { tidy } from '../tensor/tidy.js';
import { divergedAt, notFinite, notFiniteParameters, scaleIn } from './diverged.js';

const needed = [
  'epochs',
  'batch',
  'optimizer',
  'lr',
  'momentum',
  'weightDecay',
  'warmup',
  'size',
  'cropMin',
  'mean',
  'std',
  'seed',
  'precision',
] as const;
type Needed = Exclude<(typeof needed)[number], 'precision'>;

/**
 * What supervised training depends on, besides its model and pictures. `lr` is the highest rate, whatever the batch;
 * `precision` is f32 if left out, and accuracy is measured in f32.
 */
export type SupervisedConfig = Pick<PretrainConfig, Needed> & Partial<Pick<PretrainConfig, 'precision'>>;

/** What an epoch ended with: the mean training loss of its steps, and the accuracy on held-out pictures. */
export interface ClassifierEpoch {
  epoch: number;
  loss: number;
  accuracy: number;
  /**
   * With precision f16: the loss scale of the next step, and steps skipped so far; the loss leaves them out, and is
   * NaN where all were.
   */
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

/** Pictures put to the model at once when it is measured, and steps before the oldest is read back. */
const [ROWS, IN_FLIGHT] = [256, 4];
const WHERE = 'classifier';

/** The optimizer and rates that classifiers start from: those of the model's family. */
export function supervisedRecipe(
  model: string,
): Pick<SupervisedConfig, 'optimizer' | 'lr' | 'momentum' | 'weightDecay' | 'warmup'> {
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
  model: Encoder,
  sets: { train: Pictures; heldOut: Pictures },
  config: SupervisedConfig,
  hooks: ClassifierHooks = {},
): Promise<ClassifierEpoch[]> {
  checkEncoder('trainClassifier', model);
  checkSets('trainClassifier', sets);
  checkHooks('trainClassifier', hooks, ['onEpoch', 'onWarning']);
  const { train, heldOut } = sets;
  checkTraining(train, heldOut, config);
  for (const text of lacking(config.precision ?? 'f32', backend())) hooks.onWarning?.(text);
  const [training, measure] = [new Training(model, train, config), measurer(model, heldOut, config)];
  const records: ClassifierEpoch[] = [];
  while (records.length < config.epochs && !hooks.signal?.aborted) {
    const { loss, ...scaled } = await training.epoch(records.length, hooks);
    const got = await notFiniteParameters(training.parameters);
    if (got !== undefined)
      throw divergedAt(WHERE, (records.length + 1) * Math.floor(train.count / config.batch), got, config);
    const record = { epoch: records.length + 1, loss, accuracy: await measure(), ...scaled };
    records.push(record);
    hooks.onEpoch?.(record);
  }
  return records;
}

/** What a step takes: a part with its labels u32 [N], and its rate. */
interface StepSample {
  lr: HostArray;
  parts: (PartSample & { labels: HostArray })[];
}

/** What a step measures: the loss and, if that is scaled, the state of the scale. */
interface Measured {
  loss: Tensor;
  scale: Tensor | undefined;
}

/** A training under way. */
class Training {
  readonly parameters: FlatParameters;
  readonly #config: SupervisedConfig;
  readonly #sampler: Sampler<{ labels: HostArray }>;
  readonly #advance: Compiled<[OnDevice<StepSample>], Packed<Measured>>;

  constructor(model: Encoder, train: Pictures, config: SupervisedConfig) {
    const { cropMin, mean: mid, std } = config;
    const more = (index: Uint32Array) => ({ labels: new HostArray(index.map((n) => train.labels![n])) });
    this.#config = config;
    this.#sampler = new Sampler(train, {
      ...config,
      views: [{ ...crops(cropMin), mean: mid, std }],
      more,
      resident: resident(train),
    });
    const optimizer = optimizerOf(config, new FlatParameters(model, { where: 'trainClassifier' }));
    this.parameters = optimizer.parameters;
    const { lossScale } = this.parameters;
    lossScale?.protect([model]);
    this.#advance = compile(({ lr, parts: [part] }: OnDevice<StepSample>) => {
      lossScale?.keep();
      const [x] = this.#sampler.views(part);
      const loss = withPrecision(config.precision ?? 'f32', () => crossEntropy(model.call(x), part.labels));
      backward(loss, lossScale?.seed(loss.shape));
      optimizer.step(lr);
      return pack({ loss, scale: lossScale?.state });
    });
  }

  /** Trains one epoch. */
  async epoch(epoch: number, { onWarning }: ClassifierHooks): Promise<Omit<ClassifierEpoch, 'epoch' | 'accuracy'>> {
    const { stepsPerEpoch: steps } = this.#sampler.batches;
    const inFlight = new InFlight<Step>(IN_FLIGHT);
    for (let i = 0; i < steps; i++) {
      const done = epoch * steps + i;
      const { parts } = await this.#sampler.sample(done);
      const lr = warmupCosine(this.#config.lr, epoch + i / steps, this.#config.warmup, this.#config.epochs);
      const measured = unpack(await this.#advance.async({ lr: new HostArray([lr]), parts }));
      await inFlight.add(measured.then((values) => checked(values, done + 1, { ...this.#config, lr }, onWarning)));
    }
    const all = await inFlight.all();
    const { lossScale, skipped } = all.at(-1)!;
    const loss = mean(all.filter(({ inRow = 0 }) => inRow === 0).map((step) => step.loss));
    return lossScale === undefined ? { loss } : { loss, lossScale, skipped };
  }
}

type Step = { loss: number } & ReturnType<typeof scaleIn>;

/** What a step measured, unless that says that training has diverged. */
function checked(
  { loss: [loss], scale }: Unpacked<Measured>,
  at: number,
  setting: Pick<SupervisedConfig, 'lr' | 'precision'>,
  onWarning: ClassifierHooks['onWarning'],
): Step {
  const step = { loss, ...scaleIn(scale) };
  if (step.inRow === SKIPPED) onWarning?.(skippedText(at, step.lossScale!));
  const got = notFinite(step);
  if (got !== undefined) throw divergedAt(WHERE, at, got, setting);
  return step;
}

/** Accuracy on pictures as evaluation sees them; the model is put back in its mode. */
function measurer(model: Encoder, heldOut: Pictures, config: SupervisedConfig): () => Promise<number> {
  const pictures = resident(heldOut);
  return () =>
    evaluating(model, async () => {
      let right = 0;
      for (let first = 0; first < heldOut.count; first += ROWS) {
        const index = Uint32Array.from({ length: Math.min(ROWS, heldOut.count - first) }, (_, i) => first + i);
        const labels = index.map((n) => heldOut.labels![n]);
        const [top1] = await tidy(() =>
          noGrad(() => {
            const logits = model.call(evaluated(pictures, tensor(index), placeRows(heldOut, index), config));
            return accuracy(logits, pick(logits, tensor(labels))).top1.data();
          }),
        );
        right += Math.round(top1 * index.length);
      }
      return right / heldOut.count;
    });
}

/** Checks what does not depend on pictures. @throws ConfigError */
export function checkSupervised(config: SupervisedConfig): void {
  checkSettings('trainClassifier', { ...config, precision: config?.precision ?? 'f32' }, needed);
  const { warmup, epochs } = config;
  if (warmup >= epochs)
    throw new ConfigError(`warmup: it must end before the last epoch; got ${warmup} of ${epochs} epochs. Shorten it.`);
}

function checkTraining(train: Pictures, heldOut: Pictures, config: SupervisedConfig): void {
  checkSupervised(config);
  const { batch } = config;
  if (!train.labels || !train.classes || !heldOut.labels)
    throw new ConfigError('classifier: pictures must have classes; got none. Sort them into folders by class.');
  if (heldOut.count === 0)
    throw new ConfigError(
      'classifier: there must be held-out pictures to measure accuracy; got none. Hold out a part of 0.2.',
    );
  if (batch > train.count)
    throw new ConfigError(
      `batch: it must be a whole number above 1 and at most the ${train.count} pictures to train on; ` +
        `got ${batch}. Use a batch of ${Math.min(32, train.count)}.`,
    );
}
