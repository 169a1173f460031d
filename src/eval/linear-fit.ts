import { backward, noGrad } from '../tensor/autograd.js';
import { compile } from '../compile/compile.js';
import { Rng } from '../core/rng.js';
import { Linear } from '../nn/linear.js';
import { crossEntropy } from '../ops/cross_entropy.js';
import { gather } from '../ops/gather.js';
import { pick } from '../ops/pick.js';
import { reshape } from '../ops/reshape.js';
import { concat } from '../ops/strided.js';
import { FlatParameters } from '../optim/flat.js';
import { SGD } from '../optim/sgd.js';
import { tidy } from '../tensor/tidy.js';
import { state, type Tensor, tensor } from '../tensor/tensor.js';
import { accuracy } from '../moco/contrast.js';
import type { Features } from './knn.js';
import { type LinearConfig, linearRate } from './linear-config.js';
import type { ProbeFeatures } from './probe-features.js';

/** What an epoch of the classifier measured, in training: accuracies, in 0..1, are of batches before they are learned. */
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
  size: number, labels: Uint32Array, classes: number, seen: ProbeFeatures, config: LinearConfig, onEpoch?: (record: LinearRecord) => void,
): Promise<Fitted> {
  const classifier = newClassifier(size, classes, config.seed);
  const learn = learner(classifier, state(tensor(labels)), seen, config);
  const epochs: LinearRecord[] = [];
  try {
    for (let epoch = 0; epoch < config.epochs; epoch++) {
      const lr = linearRate(config, epoch, Math.min(config.batch, labels.length));
      const [loss, trainTop1, trainTop5] = await learn(epoch, lr);
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

/** Loss, top-1 and top-5 accuracy: a scalar, and all three as f32 [3]. */
function measure(logits: Tensor, labels: Tensor): { loss: Tensor; all: Tensor } {
  const loss = crossEntropy(logits, labels);
  const { top1, top5 } = accuracy(logits, pick(logits, labels));
  return { loss, all: concat([loss, top1, top5].map((v) => reshape(v, [1]))) };
}

/** An epoch of SGD, as a function that returns its mean loss and accuracies. */
function learner(
  classifier: Linear, labels: Tensor, seen: ProbeFeatures, { momentum, weightDecay }: LinearConfig,
): (epoch: number, lr: number) => Promise<number[]> {
  const optimizer = new SGD(new FlatParameters(classifier), { momentum, weightDecay });
  const learn = compile((lr: Tensor, index: Tensor, ...inputs: Tensor[]) => {
    const { loss, all } = measure(classifier.call(seen.features(index, inputs)), gather(labels, index));
    backward(loss);
    optimizer.step(lr);
    return all;
  });
  return async (epoch, lr) => {
    const measured: Measured[] = [];
    const { batches } = seen;
    for (let done = epoch * batches.stepsPerEpoch; batches.epochOf(done) === epoch; done++) {
      const index = batches.of(done);
      const inputs = await seen.inputs(done);
      measured.push({ rows: index.length, values: (await learn.async(Float32Array.of(lr), index, ...inputs)).data() });
      await measured.at(-IN_FLIGHT)?.values;
    }
    return average(measured);
  };
}

/** Loss and accuracies of a classifier on all rows. */
export async function testOn(
  classifier: Linear, { values, count, size, labels }: Features,
): Promise<{ loss: number; top1: number; top5: number }> {
  const measured: Measured[] = [];
  for (let first = 0; first < count; first += ROWS) {
    const end = Math.min(first + ROWS, count);
    const [x, y] = [values.subarray(first * size, end * size), labels!.subarray(first, end)];
    const all = () => measure(classifier.call(tensor(x, [end - first, size])), tensor(y)).all.data();
    measured.push({ rows: end - first, values: tidy(() => noGrad(all)) });
    await measured.at(-IN_FLIGHT)?.values;
  }
  const [loss, top1, top5] = await average(measured);
  return { loss, top1, top5 };
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
