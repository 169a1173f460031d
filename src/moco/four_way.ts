import { check, checkOptions, isRecord, needed, oneOf, text, whole } from '../core/check.js';
import { mean, roughness, spread } from '../core/statistics.js';
import type { Pictures } from '../data/pictures.js';
import { percent } from '../io/numbers.js';
import type { StoredTensor } from '../io/safetensors.js';
import { models } from '../nn/models.js';
import type { Precision } from '../ops/precision.js';
import { buildClassifier } from './classifier.js';
import { seedRule } from './check.js';
import { configRules, type PretrainConfig } from './config.js';
import { checkKept, type Kept } from './kept.js';
import { moduleTensors } from './module-state.js';
import { checkSets } from './sets.js';
import { presets } from './presets.js';
import { Pretraining } from './pretrain.js';
import { type ClassifierEpoch, type SupervisedConfig, supervisedRecipe, trainClassifier } from './supervised.js';

/** Sizes of the four-model experiment. */
export interface FourWayConfig {
  /** Names of the two models. */
  resnet: string;
  vit: string;
  /** Epochs of each classifier and of each pretraining. */
  epochs: number;
  pretrainEpochs: number;
  batch: number;
  /** Pixels of a picture. */
  size: number;
  cropMin: number;
  /** How often each classifier is trained; the first has `seed`, the next `seed + 1`. */
  seeds: number;
  seed: number;
  /** Of all trainings. Default f32. */
  precision?: Precision;
}

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

/** One of the four, with the epochs of each seed. */
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
type Tell = (text: string) => void;

/** How each model is pretrained: MoCo v2 for a ResNet, MoCo v3 for a vision transformer, on the training pictures without labels. */
export function pretrainConfig(model: string, { pretrainEpochs: epochs, batch, size, seed, precision = 'f32' }: FourWayConfig, pictures: number): PretrainConfig {
  const base = model.startsWith('vit') ? presets['v3-vit-demo'] : presets.demo;
  const K = Math.min(base.K, 2 ** Math.floor(Math.log2(Math.max(2, pictures / 2))));
  return { ...base, model, epochs, batch, lrBatch: batch, size, K, seed, precision, warmup: Math.min(base.warmup, epochs / 2) };
}

const name = oneOf(...Object.keys(models));
const rules = {
  resnet: needed(name), vit: needed(name), epochs: needed(whole(1)), pretrainEpochs: needed(whole(1)), batch: needed(whole(2)), size: needed(whole(4)),
  cropMin: needed(configRules.cropMin), seeds: needed(whole(1, 1000)), seed: needed(seedRule), precision: configRules.precision,
};

/**
 * Trains a ResNet and a vision transformer on the classes of `sets`, each from scratch and from an encoder that MoCo
 * pretrained on the same training pictures without their labels. All else is the same for both starts.
 */
export async function fourWay(sets: Sets, config: FourWayConfig, kept: Kept, tell: Tell): Promise<FourWay> {
  checkSets('fourWay', sets);
  checkOptions('fourWay', config, rules);
  checkKept('fourWay', kept, tell);
  const result: FourWay = { pretrained: [], contenders: [] };
  const said = new Set<string>();
  const once = (text: string) => void (said.has(text) || tell(text), said.add(text)); // each training says what the adapter lacks
  for (const model of [config.resnet, config.vit]) {
    const { about, encoder } = await pretrain(pretrainConfig(model, config, sets.train.count), sets, kept, once);
    result.pretrained.push(about);
    for (const start of ['scratch', about.method]) result.contenders.push(await contender(model, start, sets, config, encoder, kept, once));
  }
  return result;
}

async function pretrain(config: PretrainConfig, sets: Sets, kept: Kept, tell: Tell): Promise<{ about: Pretrained; encoder: ReadonlyMap<string, StoredTensor> }> {
  const { model, epochs, knn: k } = config;
  const method = config.method === 'moco' ? 'MoCo v2' : 'MoCo v3';
  let training: Pretraining | undefined;
  const about = await kept.result({ pretrain: config }, async () => {
    tell(`Pretraining ${model} by ${method} on ${sets.train.count} pictures without labels.`);
    training = new Pretraining(config, sets);
    const knnBefore = (await training.knn())!;
    const losses: number[] = [];
    await training.run({ onStep: ({ loss }) => losses.push(loss), onWarning: tell });
    const [loss, knn] = [mean(losses.slice(-training.stepsPerEpoch)), (await training.knn())!];
    tell(`  loss ${loss.toFixed(3)}, k-NN ${percent(knnBefore)} before and ${percent(knn)} after.`);
    return { model, method, epochs, pictures: sets.train.count, loss, chance: training.method.chance(config.batch).loss, knnBefore, knn, k } satisfies Pretrained;
  });
  const encoder = await kept.tensors({ pretrain: config }, async () => {
    training ??= new Pretraining(config, sets); // its outcome was kept, but not its encoder
    await training.run();
    return moduleTensors(training.method.encoder);
  });
  return { about, encoder };
}

async function contender(
  model: string, start: string, sets: Sets, config: FourWayConfig, encoder: ReadonlyMap<string, StoredTensor>, kept: Kept, tell: Tell,
): Promise<Contender> {
  const seeds = Array.from({ length: config.seeds }, (_, i) => config.seed + i);
  const { mean: mid, std, stem } = presets.demo;
  const curves: ClassifierEpoch[][] = [];
  for (const seed of seeds) {
    const { epochs, batch, size, cropMin, precision } = config;
    const c: SupervisedConfig = { ...supervisedRecipe(model), epochs, batch, size, cropMin, mean: mid, std, seed, precision };
    const from = start === 'scratch' ? undefined : encoder;
    const key = { classifier: model, start, config: c, pretrain: from && pretrainConfig(model, config, sets.train.count) };
    const curve = await kept.result(key, async () => {
      const classifier = await buildClassifier(model, { classes: sets.train.classes!.length, stem, size: config.size, seed }, from);
      return trainClassifier(classifier, sets, { ...c, warmup: Math.min(c.warmup, c.epochs / 2) }, { onWarning: tell });
    });
    tell(`${model} from ${start}, seed ${seed}: ${percent(curve.at(-1)!.accuracy)}`);
    curves.push(curve);
  }
  return { model, start, seeds, curves };
}

/** A contender in numbers: mean and spread over its seeds. */
export interface Standing {
  name: string;
  /** Accuracy of the last epoch, and the best of all epochs. */
  accuracy: number;
  spread: number;
  best: number;
  /** Variance of the changes of accuracy from epoch to epoch: the smaller, the smoother. */
  roughness: number;
  /** The mean curve of accuracy. */
  curve: number[];
}

const measured = (curve: unknown): boolean => Array.isArray(curve) && curve.length > 0 && curve.every((r) => isRecord(r) && typeof r.accuracy === 'number');

/** What a contender's curves come to: accuracy of the last epoch (mean and spread over seeds), of the best, and roughness. */
export function standing(contender: Contender): Standing {
  check('standing', 'the contender', contender, { is: 'one of fourWay()', holds: (v) => isRecord(v) && text.holds(v.model) && text.holds(v.start) && Array.isArray(v.curves) && v.curves.length > 0 && v.curves.every(measured) });
  const { model, start, curves } = contender;
  const accuracies = curves.map((curve) => curve.map((r) => r.accuracy));
  const last = accuracies.map((a) => a.at(-1)!);
  return {
    name: `${model} from ${start}`, accuracy: mean(last), spread: spread(last), best: mean(accuracies.map((a) => Math.max(...a))),
    roughness: mean(accuracies.map(roughness)), curve: accuracies[0].map((_, e) => mean(accuracies.map((a) => a[e]))),
  };
}
