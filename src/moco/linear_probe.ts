import { backward, noGrad } from '../autograd.js';
import { compile } from '../compile.js';
import { anything, callable, checkOptions, instance } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { Rng } from '../core/rng.js';
import { checkAhead } from '../data/look-ahead.js';
import type { PictureSet } from '../data/pictures.js';
import type { PictureSource } from '../data/source.js';
import type { StoredTensor } from '../io/safetensors.js';
import { evaluating } from '../nn/evaluating.js';
import { Linear } from '../nn/linear.js';
import type { Encoder } from '../nn/models.js';
import { crossEntropy } from '../ops/cross_entropy.js';
import { gather } from '../ops/gather.js';
import { pick } from '../ops/pick.js';
import { reshape } from '../ops/reshape.js';
import { concat } from '../ops/strided.js';
import { FlatParameters } from '../optim/flat.js';
import { SGD } from '../optim/sgd.js';
import { step } from '../step.js';
import { state, type Tensor, tensor } from '../tensor.js';
import { accuracy } from './contrast.js';
import { checkEncoder, embedPictures, type Normalisation } from './embed.js';
import { checkSets } from './sets.js';
import type { Features } from './knn.js';
import { checkLinear, type LinearConfig, linearRate } from './linear_config.js';
import { moduleTensors } from './module-state.js';
import { type ProbeFeatures, probeFeatures } from './probe_features.js';
import { checkUnchanged } from './unchanged.js';

/** What an epoch of the classifier measured. Accuracies lie in 0..1; in training they are of batches before they are learned. */
export interface LinearRecord {
  epoch: number;
  lr: number;
  loss: number;
  trainTop1: number;
  trainTop5: number;
  heldOutTop1: number;
  heldOutTop5: number;
}

/** What a linear evaluation found. */
export interface LinearResult {
  epochs: LinearRecord[];
  /** The epoch of the highest top-1 accuracy on the held-out pictures, the first of equals. */
  best: LinearRecord;
  /** `fc.weight` [classes, features] and `fc.bias` of that epoch. */
  classifier: Map<string, StoredTensor>;
}

/** Pictures to train and measure a classifier on, and how. */
export interface LinearData {
  train: PictureSource;
  heldOut: PictureSource;
  config: LinearConfig & Normalisation;
  /** What the encoder was loaded from, by PyTorch's names. It must be the same to the bit when training ends; left out, as it was before. */
  stored?: ReadonlyMap<string, StoredTensor>;
  /** Batches whose streamed pictures are decoded before their turn (2). */
  ahead?: number;
  /** After each epoch. */
  onEpoch?(record: LinearRecord): void;
}

const WHERE = 'linear probe';
/** Steps that the device may be behind. */
const IN_FLIGHT = 4;
const ROWS = 1024;

/**
 * Linear evaluation (He et al., arXiv:1911.05722, section 4.1): a linear classifier on the features of a frozen
 * encoder in evaluation mode. When it ends, the encoder is checked to be what it was, to the bit.
 * @throws ConfigError for pictures without classes, a loss that is no number, or an encoder that changed.
 */
export async function linearProbe(encoder: Encoder, data: LinearData): Promise<LinearResult> {
  checkEncoder(WHERE, encoder);
  checkOptions(WHERE, data, { train: anything, heldOut: anything, config: anything, stored: instance(Map), ahead: anything, onEpoch: callable });
  checkData(data);
  const stored = data.stored ?? (await moduleTensors(encoder));
  return evaluating(encoder, async () => {
    const result = await fit(encoder, data);
    await checkUnchanged(encoder, stored, WHERE);
    return result;
  });
}

function checkData({ train, heldOut, config, ahead = 0 }: LinearData): void {
  checkSets(WHERE, { train, heldOut });
  checkLinear(config);
  checkAhead(ahead);
  if (!train.labels || !heldOut.labels) throw new ConfigError(`${WHERE}: both sets must have labels; got pictures without. Sort them into folders by class.`);
  if (train.count === 0 || heldOut.count === 0)
    throw new ConfigError(`${WHERE}: there must be pictures to train on and others to test on; got ${train.count} and ${heldOut.count}. Hold some out.`);
}

async function fit(encoder: Encoder, { train, heldOut, config, ahead, onEpoch }: LinearData): Promise<LinearResult> {
  const classifier = newClassifier(encoder.features, classesOf(train, heldOut), config.seed);
  const tested = await embedPictures(encoder, heldOut, undefined, config, ahead);
  const seen = await probeFeatures(encoder, train, config, ahead);
  const learn = learner(classifier, state(tensor(train.labels!)), seen, config);
  const epochs: LinearRecord[] = [];
  let best: Pick<LinearResult, 'best' | 'classifier'> | undefined;
  try {
    for (let epoch = 0; epoch < config.epochs; epoch++) {
      const lr = linearRate(config, epoch, Math.min(config.batch, train.count));
      const [loss, trainTop1, trainTop5] = await learn(epoch, lr);
      const [testLoss, heldOutTop1, heldOutTop5] = await test(classifier, tested);
      if (!Number.isFinite(loss + testLoss))
        throw new ConfigError(`${WHERE}: the loss must stay a number; got ${loss + testLoss} in epoch ${epoch + 1} at a learning rate of ${lr}. Lower it.`);
      const record = { epoch: epoch + 1, lr, loss, trainTop1, trainTop5, heldOutTop1, heldOutTop5 };
      epochs.push(record);
      if (!best || heldOutTop1 > best.best.heldOutTop1) best = { best: record, classifier: prefixed(await moduleTensors(classifier)) };
      onEpoch?.(record);
    }
  } finally {
    seen.giveUp();
  }
  return { epochs, ...best! };
}

const classesOf = (...sets: PictureSet[]): number => Math.max(...sets.map(({ classes, labels }) => classes?.length ?? 1 + labels!.reduce((a, b) => Math.max(a, b), 0)));
const prefixed = (tensors: Map<string, StoredTensor>) => new Map([...tensors].map(([name, t]) => [`fc.${name}`, t]));

/** Weights are N(0, 0.01), biases 0. */
function newClassifier(features: number, classes: number, seed: number): Linear {
  const rng = new Rng(seed, 'linear');
  const fc = new Linear(rng, features, classes, { bound: 1 });
  fc.weight.set(Float32Array.from({ length: fc.weight.size }, () => 0.01 * rng.normal()));
  return fc;
}

/** Loss, top-1 and top-5 accuracy: a scalar, and all three as f32 [3]. */
function measure(logits: Tensor, labels: Tensor): { loss: Tensor; all: Tensor } {
  const loss = crossEntropy(logits, labels);
  const { top1, top5 } = accuracy(logits, pick(logits, labels));
  return { loss, all: concat([loss, top1, top5].map((v) => reshape(v, [1]))) };
}

/** An epoch of SGD, as a function that returns its mean loss and accuracies. */
function learner(classifier: Linear, labels: Tensor, seen: ProbeFeatures, { momentum, weightDecay }: LinearConfig): (epoch: number, lr: number) => Promise<number[]> {
  const optimizer = new SGD(new FlatParameters(classifier), { momentum, weightDecay });
  const learn = compile((lr: Tensor, index: Tensor, ...inputs: Tensor[]) => {
    const { loss, all } = measure(classifier.forward(seen.features(index, inputs)), gather(labels, index));
    backward(loss);
    optimizer.step(lr);
    return all;
  });
  return async (epoch, lr) => {
    const measured: Measured[] = [];
    const { batches } = seen;
    for (let done = epoch * batches.stepsPerEpoch; batches.epochOf(done) === epoch; done++) {
      const index = batches.of(done);
      measured.push({ rows: index.length, values: (await learn.async(Float32Array.of(lr), index, ...(await seen.inputs(done)))).data() });
      await measured.at(-IN_FLIGHT)?.values;
    }
    return average(measured);
  };
}

/** Loss and accuracies on all rows. */
async function test(classifier: Linear, { values, count, size, labels }: Features): Promise<number[]> {
  const measured: Measured[] = [];
  for (let first = 0; first < count; first += ROWS) {
    const end = Math.min(first + ROWS, count);
    const [x, y] = [values.subarray(first * size, end * size), labels!.subarray(first, end)];
    measured.push({ rows: end - first, values: step(() => noGrad(() => measure(classifier.forward(tensor(x, [end - first, size])), tensor(y)).all.data())) });
    await measured.at(-IN_FLIGHT)?.values;
  }
  return average(measured);
}

interface Measured {
  rows: number;
  values: Promise<ArrayLike<number>>;
}

async function average(measured: Measured[]): Promise<number[]> {
  const sums = [0, 0, 0];
  let all = 0;
  for (const { rows, values } of measured) {
    const list = await values;
    sums.forEach((_, i) => (sums[i] += rows * list[i]));
    all += rows;
  }
  return sums.map((s) => s / all);
}
