import { check, checkOptions, needed, text, whole } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import type { Rng } from '../core/rng.js';
import { nearest } from '../core/nearest.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Module } from './module.js';
import { resnet, resnetNames, type ResNetOptions, resnetRules } from './resnet.js';
import { vit, vitNames, vitRules } from './vit.js';

/** A model whose features are taken before its head. */
export interface Encoder extends Module {
  /** Size of the features. */
  readonly features: number;
  /** Features [N, features] of pictures [N, H, W, 3]. */
  embed(x: Tensor): Tensor;
}

/** What the builder of a model is told; each takes what concerns it. */
export interface ModelOptions extends Pick<ResNetOptions, 'stem' | 'dim' | 'splits' | 'zeroInitResidual' | 'seed'> {
  head: 'linear' | 'mlp' | ((rng: Rng, features: number) => Module);
  /** Pixels of a picture's side. */
  size: number;
  /** Vision transformers: attention heads, where not those that the name stands for. */
  heads?: number;
  /** Vision transformers: the patch projection stays random, as MoCo v3 pretrains. */
  stopGradConv1?: boolean;
}

/** Models by name. */
export const models: Record<string, (options: ModelOptions) => Encoder> = Object.fromEntries([
  ...resnetNames.map((name) => [name, ({ size: _, stopGradConv1: __, heads: ___, ...options }: ModelOptions) => resnet(name, options)]),
  ...vitNames.map((name) => [name, ({ stem: _, zeroInitResidual: __, heads, ...options }: ModelOptions) => vit(name, { ...options, ...(heads && { heads }) })]),
]);

const { blocks: _, widths: __, bottleneck: ___, ...ofResNets } = resnetRules;
const { size, stopGradConv1 } = vitRules;
const modelRules = { ...ofResNets, size: needed(size), stopGradConv1, heads: whole(1) };

/** @throws ConfigError for an unknown name, with the nearest known one. */
export function buildModel(name: string, options: ModelOptions): Encoder {
  check('model', 'the name', name, text);
  checkOptions('model', options, modelRules);
  if (Object.hasOwn(models, name)) return models[name](options);
  const near = nearest(name, Object.keys(models));
  throw new ConfigError(`model: it must be one of ${Object.keys(models).join(', ')}; got ${name}. ${near ? `Did you mean ${near}?` : 'Choose one.'}`);
}
