import { compile } from '../compile/compile.js';
import { HostArray, type OnDevice } from '../compile/inputs.js';
import { Rng } from '../core/rng.js';
import { InFlight } from '../input/in-flight.js';
import { accuracy } from '../moco/contrast.js';
import { Linear } from '../nn/linear.js';
import { crossEntropy } from '../ops/cross_entropy.js';
import { gather } from '../ops/gather.js';
import { type Packed, pack, type Unpacked, unpack } from '../ops/pack.js';
import { pick } from '../ops/pick.js';
import { SGD } from '../optim/sgd.js';
import { backward, noGrad } from '../tensor/autograd.js';
import { state, type Tensor, tensor } from '../tensor/tensor.js';
import { tidy } from '../tensor/tidy.js';
import type { Features } from './knn.js';
import { type LinearConfig, linearRate } from './linear-config.js';
import type { ProbeFeatures, ProbeSample } from './probe-features.js';

/**
 * What an epoch of the classifier measured, in training: accuracies, in 0..1, are of batches before they are learned.
 */
export interface LinearRecord {
  epoch: number;
  lr: number;
  loss: number;
  trainTop1: number;
  trainTop5: number;
}

/** A classifier after its last epoch. */
export interface Fitted {
  classifier: Linear;
  epochs: LinearRecord[];
  /** Whether every loss was a number; training ends with the first that is not. */
  finite: boolean;
}

/** Steps that the device may be behind, and rows that are tested at once. */
const [IN_FLIGHT, ROWS] = [4, 1024];

/**
 * Trains a linear classifier on features.
 *
 * @param labels u32 [count], a class below `classes` for each picture of `seen`.
 */
export async function fit(
  size: number,
  labels: Uint32Array,
  classes: number,
  seen: ProbeFeatures,
  config: LinearConfig,
  onEpoch?: (record: LinearRecord) => void,
): Promise<Fitted> {
  const classifier = newClassifier(size, classes, config.seed);
  const learn = learner(classifier, state(tensor(labels)), seen, config);
  const epochs: LinearRecord[] = [];
  try {
    for (let epoch = 0; epoch < config.epochs; epoch++) {
      const lr = linearRate(config, epoch, Math.min(config.batch, labels.length));
      const { loss, top1: trainTop1, top5: trainTop5 } = await learn(epoch, lr);
      epochs.push({ epoch: epoch + 1, lr, loss, trainTop1, trainTop5 });
      if (!Number.isFinite(loss)) return { classifier, epochs, finite: false };
      onEpoch?.(epochs.at(-1)!);
    }
  } finally {
    seen.giveUp();
  }
  return { classifier, epochs, finite: true };
}

/** Weights are N(0, 0.01), biases 0. */
function newClassifier(features: number, classes: number, seed: number): Linear {
  const rng = new Rng(seed, 'linear');
  const fc = new Linear(features, classes, { bound: 1, seed: rng });
  fc.weight.set(Float32Array.from({ length: fc.weight.size }, () => 0.01 * rng.normal()));
  return fc;
}

/** What a batch measures: loss, top-1 and top-5 accuracy. */
interface Measured {
  loss: Tensor;
  top1: Tensor;
  top5: Tensor;
}

function measure(logits: Tensor, labels: Tensor): Measured {
  return { loss: crossEntropy(logits, labels), ...accuracy(logits, pick(logits, labels)) };
}

/** An epoch of SGD, as a function that returns its mean loss and accuracies. */
function learner(
  classifier: Linear,
  labels: Tensor,
  seen: ProbeFeatures,
  { momentum, weightDecay }: LinearConfig,
): (epoch: number, lr: number) => Promise<Means> {
  const optimizer = new SGD(classifier, { momentum, weightDecay });
  const learn = compile(({ lr, sample }: OnDevice<{ lr: HostArray; sample: ProbeSample }>) => {
    const measured = measure(classifier.call(seen.features(sample)), gather(labels, sample.index));
    backward(measured.loss);
    optimizer.step(lr);
    return pack(measured);
  });
  return async (epoch, lr) => {
    const inFlight = new InFlight<Batch>(IN_FLIGHT);
    const { batches } = seen;
    for (let done = epoch * batches.stepsPerEpoch; batches.epochOf(done) === epoch; done++) {
      const sample = await seen.sample(done);
      await inFlight.add(batchOf(sample.index.values.length, await learn.async({ lr: new HostArray([lr]), sample })));
    }
    return average(await inFlight.all());
  };
}

/** Loss and accuracies of a classifier on all rows. */
export async function testOn(classifier: Linear, { values, count, size, labels }: Features): Promise<Means> {
  const inFlight = new InFlight<Batch>(IN_FLIGHT);
  for (let first = 0; first < count; first += ROWS) {
    const end = Math.min(first + ROWS, count);
    const [x, y] = [values.subarray(first * size, end * size), labels!.subarray(first, end)];
    const all = () => pack(measure(classifier.call(tensor(x, [end - first, size])), tensor(y)));
    await inFlight.add(tidy(() => noGrad(() => batchOf(end - first, all()))));
  }
  return average(await inFlight.all());
}

/** Means over pictures. */
type Means = Record<keyof Measured, number>;
type Batch = { rows: number } & Unpacked<Measured>;

const batchOf = async (rows: number, packed: Packed<Measured>): Promise<Batch> => ({ rows, ...(await unpack(packed)) });

function average(batches: Batch[]): Means {
  const all = batches.reduce((n, { rows }) => n + rows, 0);
  const mean = (name: keyof Measured) => batches.reduce((sum, batch) => sum + batch.rows * batch[name][0], 0) / all;
  return { loss: mean('loss'), top1: mean('top1'), top5: mean('top5') };
}
