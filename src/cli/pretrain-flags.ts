import { readFileSync } from 'node:fs';
import { ConfigError, FormatError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';
import { demoConfig, type PretrainConfig } from '../moco/config.js';
import { presetOf, presets } from '../moco/presets.js';
import { models } from '../nn/models.js';
import type { Flag, Parsed, Value } from './args.js';
import { adapterFlag, commonFlags } from './common.js';
import { loadingFlags } from './loading.js';

/** What each field of the configuration means; its flag is the name in kebab case, its kind that of the demo's value. */
const fields: Record<keyof PretrainConfig, string> = {
  method: 'moco (v1 and v2), moco-v3, end-to-end or memory-bank',
  model: `${Object.keys(models).slice(0, -1).join(', ')} or ${Object.keys(models).at(-1)}`,
  stem: 'small (3×3 and first stage, both stride 2), cifar (3×3) or imagenet (7×7 and pooling)',
  head: 'mlp (MoCo v2) or linear (v1); moco-v3 has heads of its own',
  dim: 'size of queries and keys',
  hidden: "width of moco-v3's heads",
  K: 'keys in the queue, or rows of the memory bank drawn a step',
  m: "momentum of the key encoder, or of the memory bank's rows",
  mSchedule: 'constant, or cosine: m rises to 1',
  T: 'temperature',
  symmetric: 'moco: each view is query and key in turn',
  shared: 'end-to-end: queries and keys have one encoder',
  bankLoss: 'memory-bank: softmax or nce over the drawn rows, or full',
  epochs: 'passes over the pictures',
  batch: 'pictures a step',
  accumulate: 'parts of a batch whose gradients add up (fewer negatives in moco-v3 and end-to-end)',
  optimizer: 'sgd, lars or adamw',
  precision: 'f32, or f16: activations as halves, parameters f32, the loss scaled',
  lr: 'highest learning rate, for a batch of --lr-batch',
  lrBatch: 'the batch that --lr is for; the rate grows in proportion to the batch',
  momentum: 'momentum of SGD and LARS',
  weightDecay: 'weight decay',
  schedule: 'cosine, cosine-1 (rate 0 in the last epoch) or step',
  milestones: 'step: epochs from which on the rate is a tenth',
  warmup: 'epochs in which the learning rate rises from 0',
  scheduleEvery: 'epoch or step: how often rates are set',
  splits: 'parts of a batch that batch norm keeps apart',
  shuffle: 'encode keys in another order than queries (without it batch norm leaks)',
  size: 'pixels of a view; a folder is decoded at 8/7 of it (at 64 at least), no larger than its pictures are',
  augmentation: 'random views as of MoCo v1, v2 or v3',
  cropMin: 'smallest part of a picture that a view shows',
  blur: 'blur views where the augmentation does',
  mean: 'mean of each channel in [0, 1]',
  std: 'standard deviation of each channel',
  knn: 'neighbours of the k-NN monitor',
  knnT: 'temperature of its votes',
  knnEvery: 'epochs from one k-NN to the next',
  knnOutputs: "k-NN by the outputs of the encoder's head too",
  heldOut: 'part of the pictures kept for k-NN and never trained on',
  seed: 'seed of everything random',
};

const keys = Object.keys(fields) as (keyof PretrainConfig)[];
/** The flag of a field, without its dashes. */
export const flagOf = (key: string): string => kebab(key);

const kebab = (key: string) => key.replace(/[A-Z](?=[a-z])/g, (c) => `-${c.toLowerCase()}`).replace(/(?<=[a-z])T$/, '-T');
const kindOf = (value: unknown): Flag['kind'] => (Array.isArray(value) ? 'list' : typeof value === 'string' ? 'text' : typeof value === 'number' ? 'number' : 'switch');

/** Flags that set a field of the configuration, with the defaults of `base` in brackets. A switch has a --no- form. */
export function configFlags(base: PretrainConfig): Flag[] {
  return keys.flatMap((key): Flag[] => {
    const [name, kind, value] = [kebab(key), kindOf(demoConfig[key]), base[key]];
    if (kind !== 'switch') return [{ name, kind, help: `${fields[key]} (${Array.isArray(value) && value.length === 0 ? 'none' : String(value)})` }];
    return [{ name, kind, help: `${fields[key]}${value ? ' (on)' : ''}` }, { name: `no-${name}`, kind, help: `not so${value ? '' : ' (default)'}` }];
  });
}

export const runFlags: readonly Flag[] = [
  { name: 'preset', kind: 'text', help: 'a named configuration (demo); see below' },
  { name: 'config', kind: 'text', help: 'a JSON file of fields, as --print-config prints; flags go over it' },
  { name: 'print-config', kind: 'switch', help: 'print the whole configuration as JSON, and end' },
  { name: 'dry-run', kind: 'switch', help: 'build everything, train two steps, tell memory and time, and end' },
  { name: 'data', kind: 'text', help: 'folder of pictures, CIFAR-10 batches or IDX files; without it, drawn pictures' },
  { name: 'test', kind: 'text', help: "measure on these pictures, and train on all of DATA; CIFAR-10's and MNIST's own test files are taken without it" },
  { name: 'classes', kind: 'list', help: 'use these classes (sub-folders) only' },
  { name: 'limit', kind: 'number', help: 'use at most so many pictures a class' },
  { name: 'count', kind: 'number', help: 'pictures to draw when there is no data (1000)' },
  ...loadingFlags,
  { name: 'out', kind: 'text', help: "the run's folder (runs/ and the time)" },
  { name: 'resume', kind: 'text', help: 'continue the run in this folder where it stopped' },
  adapterFlag,
  { name: 'no-tensorboard', kind: 'switch', help: "no TensorBoard file in the run's folder" },
  { name: 'chart', kind: 'switch', help: 'on a terminal, the loss as a chart under the bar' },
  ...commonFlags,
];

/** The configuration asked for: a preset (without one, `base`), over it the file's fields, over them the flags. */
export function configFrom({ flags }: Parsed, base: PretrainConfig = presets.demo): PretrainConfig {
  const { preset, ...fromFile } = flags.has('config') ? readFields(flags.get('config') as string) : {};
  const name = flags.get('preset') ?? preset;
  const config: Record<string, unknown> = { ...(name === undefined ? base : presetOf(String(name))), ...fromFile };
  for (const key of keys) {
    const value = flags.get(kebab(key));
    if (value !== undefined) config[key] = Array.isArray(demoConfig[key]) ? numbers(kebab(key), value) : value;
    if (flags.has(`no-${kebab(key)}`)) config[key] = false;
  }
  return config as unknown as PretrainConfig;
}

function numbers(name: string, value: Value): number[] {
  const list = (value as string[]).map(Number);
  if (!list.every(Number.isFinite)) throw new ConfigError(`--${name}: it takes numbers; got ${String(value)}. Write them with commas between.`);
  return list;
}

/** The fields in a JSON file, all known. */
function readFields(file: string): Record<string, unknown> {
  let fields: unknown;
  try {
    fields = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new FormatError(`${file}: a configuration is a JSON file; got ${(error as Error).message}. Print one with --print-config.`);
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    throw new FormatError(`${file}: a configuration is a JSON object of fields; got ${JSON.stringify(fields)?.slice(0, 40)}. Print one with --print-config.`);
  for (const name of Object.keys(fields)) {
    const known = ['preset', ...keys];
    const near = nearest(name, known);
    if (!known.includes(name)) throw new ConfigError(`${file}: every field must be known; got ${name}. ${near ? `Did you mean ${near}?` : 'See --print-config.'}`);
  }
  return fields as Record<string, unknown>;
}
