import type { Rule } from '../core/check.js';
import type { Rng } from '../core/rng.js';
import type { StoredTensor } from '../io/safetensors.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Module } from './module.js';
import type { ResNetOptions } from './resnet.js';

/** A model whose features are taken before its head. */
export interface Encoder extends Module {
  /** Size of the features. */
  readonly features: number;
  /** Features [N, features] of pictures [N, H, W, 3]. */
  embed(x: Tensor): Tensor;
}

/** What the builder of a model gets; each family takes what concerns it. */
export interface ModelOptions extends Pick<ResNetOptions, 'stem' | 'dim' | 'splits' | 'zeroInitResidual' | 'seed'> {
  head: 'linear' | 'mlp' | ((rng: Rng, features: number) => Module);
  /** Pixels of a picture's side. */
  size: number;
  /** Vision transformers: attention heads, where not those that the name stands for. */
  heads?: number;
  /** Vision transformers: the patch projection stays random, as MoCo v3 pretrains. */
  stopGradConv1?: boolean;
}

/** A state dict by names, in PyTorch's layouts. */
export type StateDict = ReadonlyMap<string, StoredTensor>;

/** What is known of a model besides its tensors. */
export interface Hints {
  model?: string;
  stem?: string;
  heads?: number;
}

/** What a model must be to have the tensors of a state dict: the options that build it, without its head. */
export interface Architecture {
  /** The name that the family knows it by, if it has one. */
  model?: string;
}

/** How a family is trained where nothing else is said. */
export interface Recipe {
  /** What made a checkpoint that does not say: MoCo v3, or one of MoCo's (v1, v2), whose head may tell. */
  method: 'moco' | 'moco-v3';
  /** Training with labels. */
  supervised: { optimizer: 'sgd' | 'adamw'; lr: number; momentum: number; weightDecay: number; warmup: number };
  /** Linear evaluation after MoCo v3. */
  linear: 'v3' | 'v3-vit';
  /** Presets of MoCo v3: the published one, whose optimizer and rates hold, and the small one. */
  presets: { published: 'v3-r50-300' | 'v3-vit-s'; demo: 'v3-demo' | 'v3-vit-demo' };
  /** MoCo v3 puts a projector of so many layers in the head's place. */
  projector: 2 | 3;
  /** Whether MoCo v3's predictor ends in a batch norm. */
  predictorNorm: boolean;
}

/** All that the library knows of a family of models: it is registered in `families`, and asked there. */
export interface Family<A extends Architecture = Architecture> {
  /** What a message calls one: `a ResNet`. */
  readonly is: string;
  readonly names: readonly string[];
  /** The options of `buildModel` that concern it; others are passed over. */
  readonly options: Readonly<Record<string, Rule>>;
  /** By what it is known in a file: a tensor deep inside, and beside it one of its stem. */
  readonly marks: { readonly inside: string; readonly stem: readonly string[] };
  /** Name of the module that `head` builds. */
  readonly head: string;
  /** Tensors that features depend on, though their names look like a head's. */
  readonly body?: RegExp;
  readonly recipe: Recipe;
  /** The model of a name. */
  build(name: string, options: Partial<ModelOptions>): Encoder;
  /**
   * Reads the architecture off names and shapes. @throws FormatError for another network, ConfigError for a hint that
   * contradicts it.
   */
  recognise(tensors: StateDict, file: string, hints: Hints): A;
  /** What names and shapes leave open, and how it is taken. */
  assumed(architecture: A, tensors: StateDict, hints: Hints): string[];
  /** The model of an architecture, without its head. */
  restore(architecture: A): Encoder;
  /**
   * Pixels of a picture's side: those asked for, or those that the network is for. @throws ConfigError where it takes
   * no others.
   */
  side(architecture: A, file: string, asked?: number): number;
  /** What `buildModel` needs to know besides the name; a size only where the tensors fix it. */
  describe(architecture: A): Pick<ModelOptions, 'heads'> & { stem: NonNullable<ModelOptions['stem']>; size?: number };
  /** Attention heads that a name stands for. */
  heads?(name: string): number;
  /** The model in ONNX, without its head. */
  onnx(tensors: StateDict, architecture: A): Uint8Array;
  /** `config.json` of transformers.js. */
  config(architecture: A): object;
}

/** Outputs of each linear layer of a head of several, by its name. */
export const headWidths = (tensors: ReadonlyMap<string, { shape: readonly number[] }>, head: string): number[] =>
  [0, 1, 2, 3, 4, 5, 6]
    .map((i) => tensors.get(`${head}.${i}.weight`)?.shape ?? [])
    .flatMap((shape) => (shape.length === 2 ? [shape[0]] : []));

/** The kind and outputs of the head named `head`. */
export function headIn(
  tensors: ReadonlyMap<string, { shape: readonly number[] }>,
  head: string,
): { head: 'linear' | 'mlp' | 'none'; dim?: number } {
  if (tensors.has(`${head}.0.weight`)) return { head: 'mlp', dim: headWidths(tensors, head).at(-1) };
  const shape = tensors.get(`${head}.weight`)?.shape;
  return shape ? { head: 'linear', dim: shape[0] } : { head: 'none' };
}
