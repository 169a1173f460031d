import { check, checkOptions, listOf, needed, oneOf, whole } from '../core/check.js';
import { ConfigError, FormatError, ShapeError } from '../core/errors.js';
import { Rng } from '../core/rng.js';
import { show } from '../core/shape.js';
import { onnxConvNeXt } from '../io/onnx-convnext.js';
import { globalAvgPool } from '../ops/avg_pool.js';
import { add, mul } from '../ops/binary.js';
import { reshape } from '../ops/reshape.js';
import { gelu } from '../ops/unary.js';
import { checkTensor, type Tensor } from '../tensor/tensor.js';
import { ReLU } from './activations.js';
import { Conv2d } from './conv2d.js';
import { type Architecture, type Family, headIn, type StateDict } from './family.js';
import { constant } from './init.js';
import { LayerNorm } from './layer-norm.js';
import { Linear, Sequential } from './linear.js';
import { Module } from './module.js';
import { headRules } from './resnet.js';

/** What a ConvNeXt is built of. */
export interface ConvNeXtOptions {
  /** Channels of each stage. */
  widths: readonly number[];
  /** Blocks in each stage. */
  depths: readonly number[];
  /**
   * What follows the normalised features: `linear`, a two-layer `mlp` (MoCo v2), nothing, or what is built for so many
   * of them. Default `linear`.
   */
  head?: 'linear' | 'mlp' | 'none' | ((rng: Rng, features: number) => Module);
  /** Outputs of the head. Default 128. */
  dim?: number;
  seed?: number;
}

const { splits: _, ...options } = headRules; // no batch norm

/** What each option must be. */
const convnextRules = { ...options, widths: needed(listOf(whole(1))), depths: needed(listOf(whole(1, 1000))) };

/**
 * Weights have a standard deviation of 0.02, as torchvision's, but are uniform where those are normal; biases are 0.
 */
const BOUND = 0.02 * Math.sqrt(3);

/** Side and stride of the stem's patches, and how a new block's branch is scaled. */
const [PATCH, LAYER_SCALE] = [4, 1e-6];

class Gelu extends Module {
  forward(x: Tensor): Tensor {
    return gelu(x);
  }
}

/** Keeps a place where torchvision moves axes, which here lie as they must. */
class Identity extends Module {
  forward(x: Tensor): Tensor {
    return x;
  }
}

/**
 * x + scale · block(x): a depthwise 7×7 convolution, layer norm, and two linear layers with a GELU, four times as wide
 * inside.
 */
class Block extends Module {
  readonly block: Sequential;
  /** [C, 1, 1], as torchvision stores it. */
  readonly layerScale: Tensor;

  constructor(rng: Rng, width: number) {
    super();
    this.block = new Sequential(
      new Conv2d(width, width, 7, { padding: 3, groups: width, bias: true, bound: BOUND, seed: rng }),
      new Identity(),
      new LayerNorm(width),
      new Linear(width, 4 * width, { bound: BOUND, seed: rng }),
      new Gelu(),
      new Linear(4 * width, width, { bound: BOUND, seed: rng }),
    );
    this.layerScale = constant([width, 1, 1], LAYER_SCALE);
  }

  forward(x: Tensor): Tensor {
    return add(x, mul(this.block.call(x), reshape(this.layerScale, [this.layerScale.size])));
  }
}

/** The stem or what lies between stages, and the blocks of each: `features.0` to `features.7` of four stages. */
function stages(rng: Rng, widths: readonly number[], depths: readonly number[]): Sequential {
  const conv = (inputs: number, width: number, side: number) =>
    new Conv2d(inputs, width, side, { stride: side, bias: true, bound: BOUND, seed: rng });
  return new Sequential(
    ...widths.flatMap((width, i) => {
      const narrow = widths[i - 1];
      const smaller =
        i === 0 ? [conv(3, width, PATCH), new LayerNorm(width)] : [new LayerNorm(narrow), conv(narrow, width, 2)];
      return [
        new Sequential(...smaller),
        new Sequential(...Array.from({ length: depths[i] }, () => new Block(rng, width))),
      ];
    }),
  );
}

/**
 * A ConvNeXt (Liu et al., arXiv:2201.03545) with torchvision's tensor names, without stochastic depth.
 * Input [N, H, W, 3], output [N, dim], features before the head [N, features].
 */
export class ConvNeXt extends Module {
  /** Channels of the features. */
  readonly features: number;
  readonly #stages: Sequential;
  readonly #norm: LayerNorm;
  readonly #classifier: Sequential;
  readonly #least: number;

  constructor(given: ConvNeXtOptions) {
    super();
    checkOptions('ConvNeXt', given, convnextRules);
    const { widths, depths, head = 'linear', dim = 128, seed = 0 } = given;
    if (depths.length === 0 || depths.length !== widths.length)
      throw new ConfigError(
        `ConvNeXt: depths and widths must be lists of one length above 0; ` +
          `got ${depths.length} and ${widths.length}. Give each stage both.`,
      );
    const rng = new Rng(seed, 'convnext');
    const features = widths.at(-1)!;
    this.features = features;
    this.#stages = stages(rng, widths, depths);
    this.#norm = new LayerNorm(features);
    this.#least = PATCH * 2 ** (widths.length - 1);
    const after: Module[] = [];
    if (head === 'linear') after.push(new Linear(features, dim, { bound: BOUND, seed: rng }));
    if (typeof head === 'function') after.push(head(rng, features));
    if (head === 'mlp')
      after.push(
        new Sequential(
          new Linear(features, features, { seed: rng }),
          new ReLU(),
          new Linear(features, dim, { seed: rng }),
        ),
      );
    this.#classifier = new Sequential(this.#norm, new Identity(), ...after);
  }

  /** As torchvision names them; `features` is a size here. */
  override children(): [string, Module][] {
    return [
      ['features', this.#stages],
      ['classifier', this.#classifier],
    ];
  }

  /** Pooled and normalised features [N, features], before the head. */
  embed(x: Tensor): Tensor {
    return this.#norm.call(this.#pooled(x));
  }

  #pooled(x: Tensor): Tensor {
    checkTensor('ConvNeXt', x, 'the input');
    const least = this.#least;
    if (x.rank !== 4 || Math.min(x.shape[1], x.shape[2]) < least)
      throw new ShapeError(
        `ConvNeXt: pictures must be [N, H, W, 3], H and W at least ${least}; got ${show(x.shape)}. Resize them.`,
      );
    return globalAvgPool(this.#stages.call(x));
  }

  /** [N, H, W, 3] -> [N, dim], or the features without a head. */
  forward(x: Tensor): Tensor {
    return this.#classifier.call(this.#pooled(x));
  }
}

type Sizes = Pick<ConvNeXtOptions, 'widths' | 'depths'>;

/** The networks that have a name. */
const presets: Record<string, Sizes> = { 'convnext-tiny': { widths: [96, 192, 384, 768], depths: [3, 3, 9, 3] } };

const names = Object.keys(presets);

/** A ConvNeXt by name: convnext-tiny. */
export function convnext(name: string, given: Omit<ConvNeXtOptions, 'widths' | 'depths'> = {}): ConvNeXt {
  check('convnext', 'the name', name, oneOf(...names), 'Choose one.');
  checkOptions('convnext', given, convnextRules, ['widths', 'depths']);
  return new ConvNeXt({ ...presets[name], ...given });
}

interface ConvNeXtArchitecture extends Architecture, Sizes {
  head: 'linear' | 'mlp' | 'none';
  dim?: number;
}

/** Reads a ConvNeXt's options off the names and shapes of its tensors. */
function recognise(tensors: StateDict, file: string): ConvNeXtArchitecture {
  const filters = (stage: number, block: number) =>
    tensors.get(`features.${2 * stage + 1}.${block}.block.0.weight`)?.shape;
  const [widths, depths]: number[][] = [[], []];
  for (let shape = filters(0, 0); shape; shape = filters(widths.length, 0)) {
    let depth = 1;
    while (filters(widths.length, depth)) depth++;
    widths.push(shape[0]);
    depths.push(depth);
  }
  if (
    tensors.get('features.0.0.weight')?.shape.length !== 4 ||
    tensors.get('features.1.0.block.0.weight')?.shape.length !== 4
  )
    throw new FormatError(
      `${file}: its encoder must be a ConvNeXt with torchvision's names; ` +
        `got ${[...tensors.keys()].slice(0, 3).join(', ')}. Rename the tensors, or choose another checkpoint.`,
    );
  const model = names.find(
    (name) => presets[name].widths.join() === widths.join() && presets[name].depths.join() === depths.join(),
  );
  return { model, widths, depths, ...headIn(tensors, 'classifier.2') };
}

export const convnexts: Family<ConvNeXtArchitecture> = {
  is: 'a ConvNeXt',
  names,
  options,
  marks: { inside: 'features.1.0.block.0.weight', stem: ['features.0.0.weight'] },
  head: 'classifier.2',
  body: /^classifier\.0\./,
  recipe: {
    method: 'moco',
    supervised: { optimizer: 'adamw', lr: 1e-3, momentum: 0.9, weightDecay: 0.05, warmup: 2 },
    linear: 'v3',
    presets: { published: 'v3-vit-s', demo: 'v3-vit-demo' },
    projector: 2,
    predictorNorm: false,
  },
  build: convnext,
  recognise,
  assumed: () => [],
  restore: ({ widths, depths }) => new ConvNeXt({ widths, depths, head: 'none' }),
  side: (_, __, asked = 224) => asked,
  describe: () => ({ stem: 'imagenet' }),
  onnx: onnxConvNeXt,
  config: ({ widths, depths }) => ({
    model_type: 'convnext',
    architectures: ['ConvNextModel'],
    hidden_sizes: widths,
    depths,
    patch_size: PATCH,
  }),
};
