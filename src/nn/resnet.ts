import { check, checkOptions, flag, listOf, needed, oneOf, type Rule, whole } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { Rng } from '../core/rng.js';
import { globalAvgPool } from '../ops/avg_pool.js';
import { maxPool } from '../ops/max_pool.js';
import type { Tensor } from '../tensor/tensor.js';
import { ReLU } from './activations.js';
import { BatchNorm } from './batch-norm.js';
import { convBn } from './conv-bn.js';
import { Conv2d } from './conv2d.js';
import { Linear, Sequential } from './linear.js';
import { Module } from './module.js';

/** What a ResNet is built of. */
export interface ResNetOptions {
  /** Blocks in each stage. */
  blocks: readonly number[];
  /** Channels of each stage before expansion. */
  widths: readonly number[];
  /** Bottleneck blocks (1×1, 3×3, 1×1 with 4 times the channels) instead of two 3×3. */
  bottleneck?: boolean;
  /**
   * `imagenet`: 7×7 stride 2 and max pooling; `cifar`: 3×3 stride 1; `small`: 3×3 stride 2 and
   * a first stage of stride 2, for a network that a processor can train in a minute.
   */
  stem?: 'imagenet' | 'cifar' | 'small';
  /**
   * What follows the pooled features: `linear`, a two-layer `mlp` (MoCo v2), nothing, or what is built for so many of
   * them.
   */
  head?: 'linear' | 'mlp' | 'none' | ((rng: Rng, features: number) => Module);
  /** Outputs of the head. Default 128. */
  dim?: number;
  /** Parts of a batch that are normalised apart. Default 1. */
  splits?: number;
  /** Every block starts as its shortcut: the weight of its last batch norm is 0 (MoCo v3). */
  zeroInitResidual?: boolean;
  seed?: number;
}

const built: Rule = {
  is: "'linear', 'mlp', 'none' or a function",
  holds: (v) => ['linear', 'mlp', 'none'].includes(v) || typeof v === 'function',
};

/** What the options of any model must be. */
export const headRules = { head: built, dim: whole(1), splits: whole(1), seed: whole(0, 2 ** 32 - 1) };

/** What each option must be. */
export const resnetRules = {
  ...headRules,
  blocks: needed(listOf(whole(1, 1000))),
  widths: needed(listOf(whole(1))),
  bottleneck: flag,
  stem: oneOf('imagenet', 'cifar', 'small'),
  zeroInitResidual: flag,
};

/** A convolution and its batch norm. */
class Shortcut extends Sequential {
  readonly #conv: Conv2d;
  readonly #bn: BatchNorm;

  constructor(conv: Conv2d, bn: BatchNorm) {
    super(conv, bn);
    [this.#conv, this.#bn] = [conv, bn];
  }

  override forward(x: Tensor): Tensor {
    return convBn(this.#conv, this.#bn, x);
  }
}

/** Two 3×3 convolutions and a shortcut. */
class BasicBlock extends Module {
  static readonly expansion = 1;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm;
  readonly downsample?: Sequential;

  constructor(rng: Rng, inputs: number, width: number, stride: number, splits: number, lastWeight: number) {
    super();
    this.conv1 = new Conv2d(inputs, width, 3, { stride, padding: 1, seed: rng });
    this.bn1 = new BatchNorm(width, { splits });
    this.conv2 = new Conv2d(width, width, 3, { padding: 1, seed: rng });
    this.bn2 = new BatchNorm(width, { splits, weight: lastWeight });
    this.downsample = shortcut(rng, inputs, width, stride, splits);
  }

  forward(x: Tensor): Tensor {
    const y = convBn(this.conv1, this.bn1, x, { relu: true });
    const residual = this.downsample?.call(x) ?? x;
    return convBn(this.conv2, this.bn2, y, { relu: true, residual });
  }
}

/** 1×1, 3×3 and 1×1 convolutions and a shortcut; the stride is on the 3×3 (v1.5). */
class Bottleneck extends Module {
  static readonly expansion = 4;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm;
  readonly downsample?: Sequential;

  constructor(rng: Rng, inputs: number, width: number, stride: number, splits: number, lastWeight: number) {
    super();
    const outputs = width * Bottleneck.expansion;
    this.conv1 = new Conv2d(inputs, width, 1, { seed: rng });
    this.bn1 = new BatchNorm(width, { splits });
    this.conv2 = new Conv2d(width, width, 3, { stride, padding: 1, seed: rng });
    this.bn2 = new BatchNorm(width, { splits });
    this.conv3 = new Conv2d(width, outputs, 1, { seed: rng });
    this.bn3 = new BatchNorm(outputs, { splits, weight: lastWeight });
    this.downsample = shortcut(rng, inputs, outputs, stride, splits);
  }

  forward(x: Tensor): Tensor {
    let y = convBn(this.conv1, this.bn1, x, { relu: true });
    y = convBn(this.conv2, this.bn2, y, { relu: true });
    const residual = this.downsample?.call(x) ?? x;
    return convBn(this.conv3, this.bn3, y, { relu: true, residual });
  }
}

/** What follows the features, if anything. */
function headOf(head: NonNullable<ResNetOptions['head']>, rng: Rng, features: number, dim: number): Module | undefined {
  if (typeof head === 'function') return head(rng, features);
  const linear = (outputs: number) => new Linear(features, outputs, { seed: rng });
  if (head === 'mlp') return new Sequential(linear(features), new ReLU(), linear(dim));
  return head === 'linear' ? linear(dim) : undefined;
}

/** A 1×1 convolution where the sizes change, nothing where they stay. */
function shortcut(rng: Rng, inputs: number, outputs: number, stride: number, splits: number): Shortcut | undefined {
  if (stride === 1 && inputs === outputs) return undefined;
  return new Shortcut(new Conv2d(inputs, outputs, 1, { stride, seed: rng }), new BatchNorm(outputs, { splits }));
}

/**
 * A residual network (He et al., arXiv:1512.03385) with torchvision's tensor names and initialisation.
 * Input [N, H, W, 3], output [N, dim], features before the head [N, features].
 */
export class ResNet extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm;
  readonly fc?: Module;
  /** Channels of the pooled features. */
  readonly features: number;
  readonly #stem: NonNullable<ResNetOptions['stem']>;
  readonly #stages: string[] = [];

  constructor(options: ResNetOptions) {
    super();
    checkOptions('ResNet', options, resnetRules);
    const { blocks, widths, bottleneck, stem = 'imagenet', head = 'linear', dim = 128, splits = 1 } = options;
    if (blocks.length === 0 || blocks.length !== widths.length)
      throw new ConfigError(
        `ResNet: blocks and widths must be lists of one length above 0; ` +
          `got ${blocks.length} and ${widths.length}. Give each stage both.`,
      );
    const Block = bottleneck ? Bottleneck : BasicBlock;
    const rng = new Rng(options.seed ?? 0, 'resnet');
    const scale = options.zeroInitResidual ? 0 : 1;
    this.#stem = stem;
    this.conv1 = stemConv(rng, stem, widths[0]);
    this.bn1 = new BatchNorm(widths[0], { splits });
    let channels = widths[0];
    blocks.forEach((count, stage) => {
      const layers = Array.from({ length: count }, (_, i) => {
        const stride = i === 0 && (stage > 0 || stem === 'small') ? 2 : 1;
        const block = new Block(rng, channels, widths[stage], stride, splits, scale);
        channels = widths[stage] * Block.expansion;
        return block;
      });
      Object.assign(this, { [`layer${stage + 1}`]: layers });
      this.#stages.push(`layer${stage + 1}`);
    });
    this.features = channels;
    this.fc = headOf(head, rng, channels, dim);
  }

  /** Pooled features [N, features], before the head. */
  embed(x: Tensor): Tensor {
    let y = convBn(this.conv1, this.bn1, x, { relu: true });
    if (this.#stem === 'imagenet') y = maxPool(y, { kernel: 3, stride: 2, padding: 1 });
    for (const stage of this.#stages)
      for (const block of (this as unknown as Record<string, Module[]>)[stage]) y = block.call(y);
    return globalAvgPool(y);
  }

  /** [N, H, W, 3] -> [N, dim], or the features without a head. */
  forward(x: Tensor): Tensor {
    const y = this.embed(x);
    return this.fc ? this.fc.call(y) : y;
  }
}

function stemConv(rng: Rng, stem: NonNullable<ResNetOptions['stem']>, width: number): Conv2d {
  if (stem === 'imagenet') return new Conv2d(3, width, 7, { stride: 2, padding: 3, seed: rng });
  return new Conv2d(3, width, 3, { stride: stem === 'small' ? 2 : 1, padding: 1, init: 'torch', seed: rng });
}

type Preset = Pick<ResNetOptions, 'blocks' | 'widths' | 'bottleneck'>;
const wide = [64, 128, 256, 512];

/** The networks that have a name. */
export const resnetPresets: Record<string, Preset> = {
  resnet18: { blocks: [2, 2, 2, 2], widths: wide },
  resnet34: { blocks: [3, 4, 6, 3], widths: wide },
  resnet50: { blocks: [3, 4, 6, 3], widths: wide, bottleneck: true },
  'resnet-tiny': { blocks: [1, 1], widths: [32, 64] },
};

/** Names that `resnet` knows. */
export const resnetNames = Object.keys(resnetPresets);

/** A ResNet by name: resnet18, resnet34, resnet50, or resnet-tiny for small pictures on small machines. */
export function resnet(name: string, options: Omit<ResNetOptions, 'blocks' | 'widths' | 'bottleneck'> = {}): ResNet {
  check('resnet', 'the name', name, oneOf(...resnetNames), 'Choose one.');
  checkOptions('resnet', options, resnetRules, ['blocks', 'widths', 'bottleneck']);
  const preset = resnetPresets[name];
  return new ResNet({ ...preset, ...options });
}
