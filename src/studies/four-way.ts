import { buildClassifier } from '../checkpoints/classifier.js';
import { moduleTensors } from '../checkpoints/module-state.js';
import { check, checkOptions, isRecord, text, whole } from '../core/check.js';
import { DivergedError } from '../core/errors.js';
import { fixed, percent } from '../core/numbers.js';
import { type ConfigOf, rulesOf, settings } from '../core/settings.js';
import { mean, roughness } from '../core/statistics.js';
import { checkSets } from '../data/check.js';
import type { Pictures } from '../data/picture-source.js';
import type { StoredTensor } from '../io/safetensors.js';
import { demoConfig, type PretrainConfig, pretrainSettings } from '../moco/config.js';
import { checkMethod } from '../moco/create.js';
import { presets } from '../moco/presets.js';
import { familyOf } from '../nn/families.js';
import { models } from '../nn/models.js';
import { Pretraining } from '../train/pretrain.js';
import type { EpochRecord } from '../train/records.js';
import {
  type ClassifierEpoch,
  checkSupervised,
  type SupervisedConfig,
  supervisedRecipe,
  trainClassifier,
} from '../train/supervised.js';
import { checkCache, type ResultCache } from './cache.js';

const { epochs, batch, size, cropMin, seed, precision } = pretrainSettings;

/** Every setting of the four-model experiment, a row each. */
export const fourWaySettings = settings({
  epochs: { ...epochs, default: 50, help: 'epochs of each classifier' },
  pretrainEpochs: { ...epochs, default: 50, help: 'epochs of each pretraining' },
  batch: { ...batch, help: 'pictures a step, in both' },
  resnet: { default: 'resnet-tiny', choices: Object.keys(models), help: 'the ResNet' },
  vit: {
    default: 'vit-mini',
    choices: Object.keys(models),
    help: 'the vision transformer; vit-mini has patches of 8, for pictures of 32',
  },
  cropMin: { ...cropMin, help: 'smallest part of a picture that a classifier is shown' },
  /** Of all trainings. */
  precision: { ...precision, help: 'of all trainings: f32, f32-exact, or f16, activations in f16 and the loss scaled' },
  /** Pixels of a picture. */
  size: { ...size, help: 'pixels of a picture' },
  /** How often each classifier is trained; the first has `seed`, the next `seed + 1`. */
  seeds: { default: 3, rule: whole(1, 1000), help: 'how often each training is repeated' },
  seed: { ...seed, help: 'seed of the first' },
});

type Sizes = ConfigOf<typeof fourWaySettings>;

/** Sizes of the four-model experiment; precision is f32 if left out. */
export interface FourWayConfig extends Omit<Sizes, 'precision'>, Partial<Pick<Sizes, 'precision'>> {}

/** How an encoder was pretrained, and what came of it. */
export interface Pretrained {
  model: string;
  method: 'MoCo v2' | 'MoCo v3';
  epochs: number;
  pictures: number;
  /** Mean loss of the last epoch, and that of chance. */
  loss: number;
  chance: number;
  /** Weighted k-NN accuracy before and after. */
  knnBefore: number;
  knn: number;
  k: number;
}

/** One of the four, with the epochs of each seed; those after it diverged are NaN. */
export interface Contender {
  model: string;
  /** `scratch`, or the method of its encoder. */
  start: string;
  seeds: number[];
  curves: ClassifierEpoch[][];
}

/** Outcome of the four-model experiment. */
export interface FourWay {
  pretrained: Pretrained[];
  contenders: Contender[];
}

export type Sets = { train: Pictures; heldOut: Pictures };
type Log = (text: string) => void;

/**
 * How each model is pretrained: MoCo v2 for a ResNet, MoCo v3 for a vision transformer, on the training pictures
 * without labels.
 */
export function pretrainConfig(
  model: string,
  { pretrainEpochs: epochs, batch, size, seed, precision = 'f32' }: FourWayConfig,
  pictures: number,
): PretrainConfig {
  const base =
    familyOf(model).recipe.method === 'moco-v3' ? presets['v3-vit-demo'] : { ...demoConfig, lr: 0.3, T: 0.1 };
  const K = Math.min(base.K, 2 ** Math.floor(Math.log2(Math.max(2, pictures / 2))));
  return {
    ...base,
    model,
    epochs,
    batch,
    lrBatch: batch,
    size,
    K,
    seed,
    precision,
    warmup: Math.min(base.warmup, epochs / 2),
  };
}

/** Checks both pretrainings and all classifiers, as far as that needs no pictures. @throws ConfigError */
export function checkFourWay(config: FourWayConfig): void {
  checkOptions('fourWay', config, { ...rulesOf(fourWaySettings), precision: precision.rule });
  for (const model of [config.resnet, config.vit]) {
    checkMethod(pretrainConfig(model, config, 2 * config.batch));
    const c = classifierConfig(model, config, config.seed);
    checkSupervised({ ...c, warmup: Math.min(c.warmup, c.epochs / 2) });
  }
}

/** How each classifier is trained. */
function classifierConfig(
  model: string,
  { epochs, batch, size, cropMin, precision }: FourWayConfig,
  seed: number,
): SupervisedConfig {
  const { mean: mid, std } = presets.demo;
  return { ...supervisedRecipe(model), epochs, batch, size, cropMin, mean: mid, std, seed, precision };
}

/**
 * Trains a ResNet and a vision transformer on the classes of `sets`, each from scratch and from an encoder that MoCo
 * pretrained on the same training pictures without their labels. All else is the same for both starts.
 */
export async function fourWay(sets: Sets, config: FourWayConfig, cache: ResultCache, log: Log): Promise<FourWay> {
  checkSets('fourWay', sets);
  checkFourWay(config);
  checkCache('fourWay', cache, log);
  const result: FourWay = { pretrained: [], contenders: [] };
  const logged = new Set<string>();
  // each training says what the adapter lacks
  const once = (text: string) => void (logged.has(text) || log(text), logged.add(text));
  for (const model of [config.resnet, config.vit]) {
    const { about, encoder } = await pretrain(pretrainConfig(model, config, sets.train.count), sets, cache, once);
    result.pretrained.push(about);
    for (const start of ['scratch', about.method])
      result.contenders.push(await contender(model, start, sets, config, encoder, cache, once));
  }
  return result;
}

async function pretrain(
  config: PretrainConfig,
  sets: Sets,
  cache: ResultCache,
  log: Log,
): Promise<{ about: Pretrained; encoder: ReadonlyMap<string, StoredTensor> }> {
  const { model, epochs, knn: k } = config;
  const method = config.method === 'moco' ? 'MoCo v2' : 'MoCo v3';
  let training: Pretraining | undefined;
  const about = await cache.result({ pretrain: config }, async () => {
    log(`Pretraining ${model} by ${method} on ${sets.train.count} pictures without labels.`);
    training = new Pretraining(config, sets);
    const knnBefore = (await training.knn())!;
    let last!: EpochRecord;
    await training.run({ onEpoch: (_, epoch) => void (last = epoch), onWarning: log }).catch((error) => {
      throw error instanceof DivergedError
        ? new DivergedError(`pretraining of ${model} by ${method}, which the others start from: ${error.message}`)
        : error;
    });
    const [{ loss }, knn] = [last, (await training.knn())!];
    log(`  loss ${fixed(loss)}, k-NN ${percent(knnBefore)} before and ${percent(knn)} after.`);
    return {
      model,
      method,
      epochs,
      pictures: sets.train.count,
      loss,
      chance: training.method.chance(config.batch).loss,
      knnBefore,
      knn,
      k,
    } satisfies Pretrained;
  });
  const encoder = await cache.tensors({ pretrain: config }, async () => {
    training ??= new Pretraining(config, sets); // its outcome is in the cache, and its encoder is not
    await training.run();
    return moduleTensors(training.method.encoder);
  });
  return { about, encoder };
}

/** What each epoch of a training came to; NaN from where it diverged on. */
async function curveOf(
  classifier: Parameters<typeof trainClassifier>[0],
  sets: Sets,
  config: Parameters<typeof trainClassifier>[2],
  name: string,
  log: Log,
): Promise<ClassifierEpoch[]> {
  const done: ClassifierEpoch[] = [];
  try {
    return await trainClassifier(classifier, sets, config, { onWarning: log, onEpoch: (e) => void done.push(e) });
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    log(`${name}: ${error.message}`);
    while (done.length < config.epochs) done.push({ epoch: done.length + 1, loss: NaN, accuracy: NaN });
    return done;
  }
}

async function contender(
  model: string,
  start: string,
  sets: Sets,
  config: FourWayConfig,
  encoder: ReadonlyMap<string, StoredTensor>,
  cache: ResultCache,
  log: Log,
): Promise<Contender> {
  const seeds = Array.from({ length: config.seeds }, (_, i) => config.seed + i);
  const { stem } = presets.demo;
  const curves: ClassifierEpoch[][] = [];
  for (const seed of seeds) {
    const c = classifierConfig(model, config, seed);
    const from = start === 'scratch' ? undefined : encoder;
    const key = {
      classifier: model,
      start,
      config: c,
      pretrain: from && pretrainConfig(model, config, sets.train.count),
    };
    const curve = await cache.result(key, async () => {
      const options = { classes: sets.train.classes!.length, stem, size: config.size, seed };
      const classifier = await buildClassifier(model, options, from);
      const schedule = { ...c, warmup: Math.min(c.warmup, c.epochs / 2) };
      return curveOf(classifier, sets, schedule, `${model} from ${start}, seed ${seed}`, log);
    });
    const { accuracy } = curve.at(-1)!;
    log(`${model} from ${start}, seed ${seed}: ${Number.isFinite(accuracy) ? percent(accuracy) : 'diverged'}`);
    // JSON makes null of NaN
    curves.push(curve.map((e) => ({ ...e, loss: e.loss ?? NaN, accuracy: e.accuracy ?? NaN })));
  }
  return { model, start, seeds, curves };
}

/** A contender in numbers: mean and spread over its seeds. */
export interface Standing {
  name: string;
  /** Accuracy of the last epoch, and the best of all epochs. */
  accuracy: number;
  best: number;
  /** Accuracy of the last epoch of each seed. */
  each: number[];
  /** Variance of the changes of accuracy from epoch to epoch: the smaller, the smoother. */
  roughness: number;
  /** The mean curve of accuracy. */
  curve: number[];
}

const measured = (curve: unknown): boolean =>
  Array.isArray(curve) && curve.length > 0 && curve.every((r) => isRecord(r) && typeof r.accuracy === 'number');

/** What a contender's curves come to: accuracy of the last epoch (mean over seeds), of the best, and roughness. */
export function standing(contender: Contender): Standing {
  check('standing', 'the contender', contender, {
    is: 'one of fourWay()',
    holds: (v) =>
      isRecord(v) &&
      text.holds(v.model) &&
      text.holds(v.start) &&
      Array.isArray(v.curves) &&
      v.curves.length > 0 &&
      v.curves.every(measured),
  });
  const { model, start, curves } = contender;
  const accuracies = curves.map((curve) => curve.map((r) => r.accuracy));
  const last = accuracies.map((a) => a.at(-1)!);
  return {
    name: `${model} from ${start}`,
    accuracy: mean(last),
    each: last,
    best: mean(accuracies.map((a) => Math.max(...a))),
    roughness: mean(accuracies.map(roughness)),
    curve: accuracies[0].map((_, e) => mean(accuracies.map((a) => a[e]))),
  };
}
