import { moduleTensors } from '../checkpoints/module-state.js';
import { checkUnchanged } from '../checkpoints/unchanged.js';
import { anything, callable, checkOptions, flag, instance } from '../core/check.js';
import { ConfigError, DivergedError } from '../core/errors.js';
import { checkSets } from '../data/check.js';
import type { PictureSet, PictureSource } from '../data/picture-source.js';
import type { Normalisation } from '../input/evaluation-crop.js';
import { checkAhead } from '../input/look-ahead.js';
import type { StoredTensor } from '../io/safetensors.js';
import { evaluating } from '../nn/evaluating.js';
import type { Encoder } from '../nn/models.js';
import { checkEncoder, embedPictures } from './embed.js';
import type { Features } from './knn.js';
import { checkLinear, type LinearConfig, linearRate } from './linear-config.js';
import { fit, type LinearRecord, testOn } from './linear-fit.js';
import { bestRate, type Sweep, sweepRates } from './linear-sweep.js';
import { augmentedFeatures, cachedFeatures } from './probe-features.js';

/** What a linear evaluation found. */
export interface LinearResult {
  /** The learning rate, for a batch of `lrBatch`: the configuration's, or the sweep's best. */
  lr: number;
  /** What each learning rate came to, where they were swept. */
  sweep?: Sweep;
  epochs: LinearRecord[];
  /** Of the held-out pictures, measured once, after the last epoch. Accuracies lie in 0..1. */
  heldOut: { loss: number; top1: number; top5: number };
  /** `fc.weight` [classes, features] and `fc.bias`. */
  classifier: Map<string, StoredTensor>;
  /** What looks wrong with the training. */
  warnings: string[];
}

/** Pictures to train and measure a classifier on, and how. */
export interface LinearData {
  train: PictureSource;
  heldOut: PictureSource;
  config: LinearConfig & Normalisation;
  /** Choose the learning rate about the configuration's by a held-out part of the training pictures. Default false. */
  sweep?: boolean;
  /**
   * What the encoder was loaded from, by PyTorch's names. It must be the same to the bit when training ends; left out,
   * as it was before.
   */
  stored?: ReadonlyMap<string, StoredTensor>;
  /** Batches whose streamed pictures are decoded before their turn (2). */
  ahead?: number;
  /** When the learning rate has been chosen. */
  onSweep?(sweep: Sweep, lr: number): void;
  /** After each epoch. */
  onEpoch?(record: LinearRecord): void;
}

const WHERE = 'linear probe';

/**
 * Linear evaluation (He et al., arXiv:1911.05722, section 4.1): a linear classifier on the features of a frozen
 * encoder in evaluation mode. The held-out pictures are measured once, when it has been trained; papers report the best
 * epoch on them, which is a choice made on the pictures it is measured by. When it ends, the encoder is checked to be
 * what it was, to the bit.
 * @throws ConfigError for pictures without classes or an encoder that changed, DivergedError for a loss that is not
 * finite.
 */
export async function linearProbe(encoder: Encoder, data: LinearData): Promise<LinearResult> {
  checkEncoder(WHERE, encoder);
  checkOptions(WHERE, data, {
    train: anything,
    heldOut: anything,
    config: anything,
    sweep: flag,
    stored: instance(Map),
    ahead: anything,
    onSweep: callable,
    onEpoch: callable,
  });
  checkData(data);
  const stored = data.stored ?? (await moduleTensors(encoder));
  return evaluating(encoder, async () => {
    const result = await evaluate(encoder, data);
    await checkUnchanged(encoder, stored, WHERE);
    return result;
  });
}

function checkData({ train, heldOut, config, ahead = 0 }: LinearData): void {
  checkSets(WHERE, { train, heldOut });
  checkLinear(config);
  checkAhead(ahead);
  if (!train.labels || !heldOut.labels)
    throw new ConfigError(
      `${WHERE}: both sets must have labels; got pictures without. Sort them into folders by class.`,
    );
  if (train.count === 0 || heldOut.count === 0)
    throw new ConfigError(
      `${WHERE}: there must be pictures to train on and others to test on; ` +
        `got ${train.count} and ${heldOut.count}. Hold some out.`,
    );
}

async function evaluate(encoder: Encoder, data: LinearData): Promise<LinearResult> {
  const { train, heldOut, ahead, onEpoch } = data;
  const classes = classesOf(train, heldOut);
  const cached =
    data.sweep || data.config.views === 'cached'
      ? await embedPictures(encoder, train, undefined, data.config, ahead)
      : undefined;
  const { config, sweep } = data.sweep
    ? await swept(cached!, classes, data)
    : { config: data.config, sweep: undefined };
  const seen =
    config.views === 'cached' ? cachedFeatures(cached!, config) : augmentedFeatures(encoder, train, config, ahead);
  const { classifier, epochs, finite } = await fit(encoder.features, train.labels!, classes, seen, config, onEpoch);
  const { epoch, loss } = epochs.at(-1)!;
  if (!finite) {
    const rate = linearRate(config, epoch - 1, Math.min(config.batch, train.count));
    throw new DivergedError(
      `${WHERE}: the loss must stay finite; got ${loss} in epoch ${epoch} at a learning rate of ${rate}. Lower it.`,
    );
  }
  const tested = await testOn(classifier, await embedPictures(encoder, heldOut, undefined, config, ahead));
  return {
    lr: config.lr,
    ...(sweep && { sweep }),
    epochs,
    heldOut: tested,
    classifier: prefixed(await moduleTensors(classifier)),
    warnings: jumps(epochs, train.count),
  };
}

/** The configuration with the learning rate that a sweep found best. */
async function swept(
  all: Features,
  classes: number,
  { config, onSweep }: LinearData,
): Promise<{ config: LinearData['config']; sweep?: Sweep }> {
  const sweep = await sweepRates(all, classes, config);
  if (!sweep) return { config };
  const best = bestRate(sweep);
  if (!best)
    throw new DivergedError(
      `${WHERE}: one of the learning rates tried must keep the loss finite; ` +
        `got none of ${sweep.rates.map((r) => r.lr).join(', ')}. ` +
        'Look whether the features are finite (dawngrad embed), or give a smaller --lr.',
    );
  onSweep?.(sweep, best.lr);
  return { config: { ...config, lr: best.lr }, sweep };
}

const classesOf = (...sets: PictureSet[]): number =>
  Math.max(...sets.map(({ classes, labels }) => classes?.length ?? 1 + labels!.reduce((a, b) => Math.max(a, b), 0)));
const prefixed = (tensors: Map<string, StoredTensor>) => new Map([...tensors].map(([name, t]) => [`fc.${name}`, t]));

/**
 * A fall of the training accuracy from one epoch to the next that chance does not explain: of 5 points, and of 4
 * standard errors.
 */
export function jumps(epochs: LinearRecord[], count: number): string[] {
  const falls = epochs.slice(1).map(({ epoch, trainTop1 }, i) => ({ epoch, from: epochs[i].trainTop1, to: trainTop1 }));
  const error = (p: number) => Math.sqrt((2 * p * (1 - p)) / count);
  const wild = falls.filter(({ from, to }) => from - to > Math.max(0.05, 4 * error((from + to) / 2)));
  if (wild.length === 0) return [];
  const { epoch, from, to } = wild.reduce((a, b) => (b.from - b.to > a.from - a.to ? b : a));
  const points = (v: number) => `${(100 * v).toFixed(1)} %`;
  return [
    `The training accuracy jumps: it fell from ${points(from)} to ${points(to)} in epoch ${epoch}, ` +
      `and in ${wild.length} epochs in all. ` +
      'The learning rate is too high for these features, and the result a matter of where training stopped: ' +
      'lower --lr.',
  ];
}
