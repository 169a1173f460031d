import { anything, checkOptions, listOf, needed, upTo1, whole } from '../core/check.js';
import { DivergedError } from '../core/errors.js';
import { fixed, percent } from '../core/numbers.js';
import { type ConfigOf, rulesOf, settings } from '../core/settings.js';
import { mean } from '../core/statistics.js';
import { checkSets } from '../data/check.js';
import { checkSettings, type PretrainConfig, pretrainSettings } from '../moco/config.js';
import { checkMethod } from '../moco/create.js';
import { presets } from '../moco/presets.js';
import { Pretraining } from '../train/pretrain.js';
import type { EpochRecord } from '../train/records.js';
import { checkCache, type ResultCache } from './cache.js';
import type { Sets } from './four-way.js';

/** What the mechanism study compares, a row each. */
export const mechanismsSettings = settings({
  /** Sizes of the dictionary. */
  Ks: { default: [32, 64, 128, 256], rule: listOf(whole(1)), help: 'sizes of the dictionary' },
  /** Momenta of MoCo's key encoder. */
  momenta: { default: [0, 0.9, 0.99, 0.999, 0.9999], rule: listOf(upTo1), help: 'momenta of the key encoder' },
  /** Largest batch of the end-to-end mechanism, whose dictionary is its batch. */
  endToEndLimit: { default: 64, rule: whole(0), help: 'largest batch of the end-to-end mechanism' },
  /** How often each run is repeated; the first has the seed of `base`, the next one more. */
  seeds: { default: 1, rule: whole(1, 1000), help: 'how often each training is repeated' },
});

const { K, m, epochs, batch, model, size, seed } = pretrainSettings;

/** The settings of `base` that the study's command has flags for. */
export const mechanismsBase = settings({
  K: { ...K, help: 'keys in the queue where m is compared' },
  m: { ...m, help: 'momentum where K is compared' },
  epochs: { ...epochs, help: 'epochs of each pretraining' },
  batch: { ...batch, help: 'pictures a step of MoCo and the memory bank' },
  model: { ...model, help: 'the encoder' },
  size: { ...size, help: 'pixels of a picture' },
  seed: { ...seed, help: 'seed of the first' },
});

/** What the mechanism study compares. */
export interface MechanismsConfig extends ConfigOf<typeof mechanismsSettings> {
  /** What all runs share; K and m where they are not compared. */
  base: PretrainConfig;
}

export type Mechanism = 'end-to-end' | 'memory bank' | 'MoCo';

/** One run. */
export interface Measured {
  mechanism: Mechanism;
  K: number;
  m: number;
  seed: number;
  /** Mean loss and contrast accuracy of the last epoch, and the loss of chance. */
  loss: number;
  chance: number;
  contrastTop1: number;
  /** Weighted k-NN accuracy on held-out pictures. */
  knn: number;
  /**
   * Why the training stopped before its end; then nothing else was measured, and the numbers are NaN, or null in a
   * file.
   */
  diverged?: string;
}

/** Outcome of the mechanism study. */
export interface Mechanisms {
  /** k-NN of the encoder as initialised, mean over the seeds. */
  random: number;
  overK: Measured[];
  overM: Measured[];
}

export const mechanismNames: readonly Mechanism[] = ['end-to-end', 'memory bank', 'MoCo'];

/** Configuration of a mechanism with K keys in its dictionary: the end-to-end one takes batches of K. */
export function mechanismConfig(base: PretrainConfig, mechanism: Mechanism, K: number): PretrainConfig {
  if (mechanism === 'MoCo') return { ...base, method: 'moco', K };
  if (mechanism === 'end-to-end') return { ...base, method: 'end-to-end', batch: K };
  const { method, m, splits, shuffle } = presets['bank-demo'];
  return { ...base, method, m, splits, shuffle, K };
}

/** Checks every run of a study, as far as that needs no pictures. @throws ConfigError */
export function checkMechanisms({ base, Ks, momenta, endToEndLimit }: MechanismsConfig): void {
  for (const m of momenta) checkMethod(mechanismConfig({ ...base, m }, 'MoCo', base.K));
  for (const K of Ks)
    for (const mechanism of mechanismNames)
      if (mechanism !== 'end-to-end' || K <= endToEndLimit) checkMethod(mechanismConfig(base, mechanism, K));
}

/**
 * The comparison of MoCo's figure 3 and of its momentum table (arXiv:1911.05722) on `sets`: accuracy by weighted k-NN
 * over K for the three mechanisms, and over m for MoCo, every run for the same number of epochs. One that diverges is
 * logged, and the others go on.
 */
export async function mechanisms(
  sets: Sets,
  config: MechanismsConfig,
  cache: ResultCache,
  log: (text: string) => void,
): Promise<Mechanisms> {
  checkSets('mechanisms', sets);
  checkOptions('mechanisms', config, { base: needed(anything), ...rulesOf(mechanismsSettings) });
  checkSettings('mechanisms: base', config.base);
  checkCache('mechanisms', cache, log);
  const { base, Ks, momenta, endToEndLimit, seeds } = config;
  const each = Array.from({ length: seeds }, (_, i) => base.seed + i);
  const run = async (mechanism: Mechanism, of: PretrainConfig): Promise<Measured> => {
    const measured = await cache.result({ run: of }, () => measure(mechanism, of, sets));
    const { K, m, seed, loss, chance, knn } = measured;
    const reached = measured.diverged ?? `k-NN ${percent(knn)}, loss ${fixed(loss)} (chance ${fixed(chance)})`;
    log(`${mechanism}, K = ${K}${mechanism === 'end-to-end' ? '' : `, m = ${m}`}, seed ${seed}: ${reached}`);
    return measured;
  };
  const result: Mechanisms = { random: NaN, overK: [], overM: [] };
  const random: number[] = [];
  for (const seed of each) {
    const seeded = { ...base, seed };
    random.push(await cache.result({ random: seeded }, async () => (await new Pretraining(seeded, sets).knn())!));
    for (const m of momenta) result.overM.push(await run('MoCo', mechanismConfig({ ...seeded, m }, 'MoCo', base.K)));
    for (const K of Ks)
      for (const mechanism of mechanismNames)
        if (mechanism !== 'end-to-end' || K <= endToEndLimit)
          result.overK.push(await run(mechanism, mechanismConfig(seeded, mechanism, K)));
  }
  return { ...result, random: mean(random) };
}

async function measure(mechanism: Mechanism, config: PretrainConfig, sets: Sets): Promise<Measured> {
  const training = new Pretraining(config, sets);
  const K = mechanism === 'end-to-end' ? config.batch : config.K;
  const about = { mechanism, K, m: config.m, seed: config.seed, chance: training.method.chance(config.batch).loss };
  try {
    let last!: EpochRecord;
    await training.run({ onEpoch: (_, epoch) => void (last = epoch) });
    return { ...about, loss: last.loss, contrastTop1: last.contrastTop1, knn: (await training.knn())! };
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    return { ...about, loss: NaN, contrastTop1: NaN, knn: NaN, diverged: error.message };
  }
}
