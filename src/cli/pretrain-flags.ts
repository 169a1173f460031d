import { demoConfig, type PretrainConfig } from '../moco/config.js';
import type { Flag, Parsed } from './args.js';

type ConfigFlag = Flag & { key: keyof PretrainConfig };

const flag = (name: string, key: keyof PretrainConfig, kind: Flag['kind'], help: string): ConfigFlag => ({
  name, key, kind, help: kind === 'switch' ? help : `${help} (${String(demoConfig[key])})`,
});

/** Flags that set a field of the configuration; defaults in brackets. */
export const configFlags: readonly ConfigFlag[] = [
  flag('model', 'model', 'text', 'resnet-tiny, resnet18, resnet34 or resnet50'),
  flag('stem', 'stem', 'text', 'small (3×3 and first stage, both stride 2), cifar (3×3) or imagenet (7×7 and pooling)'),
  flag('head', 'head', 'text', 'mlp (MoCo v2) or linear (v1)'),
  flag('dim', 'dim', 'number', 'size of queries and keys'),
  flag('K', 'K', 'number', 'keys in the queue'),
  flag('m', 'm', 'number', 'momentum of the key encoder'),
  flag('T', 'T', 'number', 'temperature'),
  flag('epochs', 'epochs', 'number', 'passes over the pictures'),
  flag('batch', 'batch', 'number', 'pictures a step'),
  flag('lr', 'lr', 'number', 'learning rate at the start of the cosine'),
  flag('momentum', 'momentum', 'number', 'momentum of SGD'),
  flag('weight-decay', 'weightDecay', 'number', 'weight decay of SGD'),
  flag('splits', 'splits', 'number', 'parts of a batch that batch norm keeps apart'),
  flag('no-shuffle', 'shuffle', 'switch', 'encode keys in the order of the queries (lets batch norm leak)'),
  flag('size', 'size', 'number', 'pixels of a view'),
  flag('crop-min', 'cropMin', 'number', 'smallest part of a picture that a view shows'),
  flag('blur', 'blur', 'switch', 'blur views at random, as MoCo v2 does on large pictures'),
  flag('knn', 'knn', 'number', 'neighbours of the k-NN monitor'),
  flag('knn-T', 'knnT', 'number', 'temperature of its votes'),
  flag('knn-every', 'knnEvery', 'number', 'epochs from one k-NN to the next'),
  flag('held-out', 'heldOut', 'number', 'part of the pictures kept for k-NN and never trained on'),
  flag('seed', 'seed', 'number', 'seed of everything random'),
];

export const runFlags: readonly Flag[] = [
  { name: 'data', kind: 'text', help: 'folder of pictures, CIFAR-10 batches or IDX files; without it, drawn pictures' },
  { name: 'classes', kind: 'list', help: 'use these classes (sub-folders) only' },
  { name: 'limit', kind: 'number', help: 'use at most so many pictures a class' },
  { name: 'count', kind: 'number', help: 'pictures to draw when there is no data (1000)' },
  { name: 'out', kind: 'text', help: "the run's folder (runs/ and the time)" },
  { name: 'resume', kind: 'text', help: 'continue the run in this folder where it stopped' },
  { name: 'adapter', kind: 'text', help: 'any, hardware or software (any)' },
  { name: 'quiet', kind: 'switch', help: 'no progress on stderr' },
  { name: 'help', kind: 'switch', help: 'this text' },
];

/** The configuration that the flags ask for, over `base`. */
export function configFrom({ flags }: Parsed, base: PretrainConfig = demoConfig): PretrainConfig {
  const config: Record<string, unknown> = { ...base };
  for (const { name, key } of configFlags) {
    const value = flags.get(name);
    if (value !== undefined) config[key] = name.startsWith('no-') ? false : value;
  }
  return config as unknown as PretrainConfig;
}
