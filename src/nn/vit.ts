import { check, checkOptions, flag, needed, oneOf, whole } from '../core/check.js';
import type { FloatType } from '../core/dtype.js';
import { ConfigError, ShapeError } from '../core/errors.js';
import { Rng } from '../core/rng.js';
import { show } from '../core/shape.js';
import { attentionQkv } from '../ops/attention.js';
import { add } from '../ops/binary.js';
import { cast } from '../ops/cast.js';
import { reshape } from '../ops/reshape.js';
import { concat, expand, slice } from '../ops/strided.js';
import { gelu } from '../ops/unary.js';
import { checkTensor, type Tensor } from '../tensor/tensor.js';
import { ReLU } from './activations.js';
import { BatchNorm } from './batch-norm.js';
import { Conv2d } from './conv2d.js';
import { normal } from './init.js';
import { LayerNorm } from './layer-norm.js';
import { Linear, Sequential } from './linear.js';
import { Module } from './module.js';
import { positionEmbedding } from './position-embedding.js';
import { headRules } from './resnet.js';

/** What a vision transformer is built of. */
export interface VisionTransformerOptions {
  /** Channels of a token; a multiple of 4 and of `heads`. */
  width: number;
  /** Blocks. */
  depth: number;
  heads: number;
  /** Side of the patches that pictures are cut into. Default 16. */
  patch?: number;
  /** Side of the pictures. Default 224. */
  size?: number;
  /**
   * `patch`: one projection of each patch; `conv`: 3×3 convolutions of stride 2 down to the patches' grid. Default
   * `patch`.
   */
  stem?: 'patch' | 'conv';
  /** Leave the patch projection as initialised: random and fixed (MoCo v3, section 4.2). Default true. */
  stopGradConv1?: boolean;
  /**
   * What follows the features: `linear`, a two-layer `mlp` (MoCo v2), nothing, or what a function builds for the size
   * of the features. Default `linear`.
   */
  head?: 'linear' | 'mlp' | 'none' | ((rng: Rng, features: number) => Module);
  /** Outputs of the head. Default 128. */
  dim?: number;
  /** Parts of a batch that the stem's batch norms normalise apart. Default 1. */
  splits?: number;
  seed?: number;
}

/** What each option must be. */
export const vitRules = {
  ...headRules,
  width: needed(whole(1)),
  depth: needed(whole(0, 1000)),
  heads: needed(whole(1)),
  patch: whole(1),
  size: whole(1),
  stem: oneOf('patch', 'conv'),
  stopGradConv1: flag,
};

/** Glorot's bound: the weights' variance is 2 / (inputs + outputs). */
const glorot = (inputs: number, outputs: number): number => Math.sqrt(6 / (inputs + outputs));

const linear = (rng: Rng, inputs: number, outputs: number) =>
  new Linear(inputs, outputs, { bound: glorot(inputs, outputs), seed: rng });

/** Multi-head attention of a sequence to itself. Queries, keys and values are initialised as three matrices. */
class Attention extends Module {
  readonly qkv: Linear;
  readonly proj: Linear;
  readonly #heads: number;

  constructor(rng: Rng, width: number, heads: number) {
    super();
    this.qkv = new Linear(width, 3 * width, { bound: glorot(width, width), seed: rng });
    this.proj = linear(rng, width, width);
    this.#heads = heads;
  }

  forward(x: Tensor): Tensor {
    return this.proj.call(attentionQkv(this.qkv.call(x), { heads: this.#heads }));
  }
}

/** Two layers with a GELU between them, four times as wide inside. */
class Mlp extends Module {
  readonly fc1: Linear;
  readonly fc2: Linear;

  constructor(rng: Rng, width: number) {
    super();
    this.fc1 = linear(rng, width, 4 * width);
    this.fc2 = linear(rng, 4 * width, width);
  }

  forward(x: Tensor): Tensor {
    return this.fc2.call(gelu(this.fc1.call(x)));
  }
}

/** x + attention(norm(x)), then x + mlp(norm(x)). */
class Block extends Module {
  readonly norm1: LayerNorm;
  readonly attn: Attention;
  readonly norm2: LayerNorm;
  readonly mlp: Mlp;

  constructor(rng: Rng, width: number, heads: number) {
    super();
    this.norm1 = new LayerNorm(width);
    this.attn = new Attention(rng, width, heads);
    this.norm2 = new LayerNorm(width);
    this.mlp = new Mlp(rng, width);
  }

  forward(x: Tensor): Tensor {
    const y = add(x, this.attn.call(this.norm1.call(x)));
    return add(y, this.mlp.call(this.norm2.call(y)));
  }
}

/** Pictures to a grid of tokens: [N, H, W, 3] -> [N, H / patch, W / patch, width]. */
class PatchEmbed extends Module {
  readonly proj: Module;

  constructor(
    rng: Rng,
    { width, patch = 16, stem = 'patch', stopGradConv1 = true, splits = 1 }: VisionTransformerOptions,
  ) {
    super();
    if (stem === 'conv') {
      this.proj = convStem(rng, width, patch, splits);
      return;
    }
    const proj = new Conv2d(3, width, patch, {
      stride: patch,
      bias: true,
      bound: glorot(3 * patch * patch, width),
      seed: rng,
    });
    for (const p of proj.parameters().values()) p.requiresGrad = !stopGradConv1;
    this.proj = proj;
  }

  forward(x: Tensor): Tensor {
    return this.proj.call(x);
  }
}

/**
 * log2(patch) 3×3 convolutions of stride 2, each twice as wide as the one before, and a 1×1 (Xiao et al.,
 * arXiv:2106.14881).
 */
function convStem(rng: Rng, width: number, patch: number, splits: number): Sequential {
  const count = Math.log2(patch);
  const first = width / 2 ** (count - 1);
  if (!(Number.isInteger(count) && count > 0 && Number.isInteger(first)))
    throw new ConfigError(
      'vit: a conv stem must halve the sides to one patch and double the channels each time; ' +
        `got patches of ${patch} and width ${width}. Choose powers of 2.`,
    );
  const layers: Module[] = [];
  for (let i = 0, inputs = 3; i < count; i++) {
    const outputs = first * 2 ** i;
    layers.push(
      new Conv2d(inputs, outputs, 3, { stride: 2, padding: 1, init: 'torch', seed: rng }),
      new BatchNorm(outputs, { splits }),
      new ReLU(),
    );
    inputs = outputs;
  }
  return new Sequential(...layers, new Conv2d(width, width, 1, { init: 'torch', bias: true, seed: rng }));
}

/**
 * A vision transformer as MoCo v3 defines it (Chen et al., arXiv:2104.02057), with the tensor names of timm:
 * fixed sine-cosine positions, a class token, norms before each part, GELU, no dropout.
 * Input [N, size, size, 3], output [N, dim], features before the head [N, features].
 */
export class VisionTransformer extends Module {
  readonly clsToken: Tensor;
  /** [1, tokens, width], saved by its name and never trained. */
  readonly posEmbed: Tensor;
  readonly patchEmbed: PatchEmbed;
  readonly blocks: readonly Block[];
  readonly norm: LayerNorm;
  /** What `forward` adds to `embed`; may be replaced, as by a projector, before an optimizer takes the parameters. */
  head?: Module;
  /** Channels of the features. */
  readonly features: number;
  readonly #size: number;

  constructor(options: VisionTransformerOptions) {
    super();
    checkOptions('vit', options, vitRules);
    const { width, depth, heads, patch = 16, size = 224, head = 'linear', dim = 128, seed = 0 } = options;
    if (size % patch !== 0)
      throw new ConfigError(
        `vit: patches must tile the picture; got size ${size} and patches of ${patch}. Choose a divisor.`,
      );
    if (width % heads !== 0)
      throw new ConfigError(`vit: heads must divide the width; got ${heads} and ${width}. Choose a divisor.`);
    const rng = new Rng(seed, 'vit');
    this.clsToken = normal(rng, [1, 1, width], 1e-6);
    this.posEmbed = positionEmbedding(size / patch, size / patch, width);
    this.patchEmbed = new PatchEmbed(rng, options);
    this.blocks = Array.from({ length: depth }, () => new Block(rng, width, heads));
    this.norm = new LayerNorm(width);
    if (typeof head === 'function') this.head = head(rng, width);
    if (head === 'linear') this.head = new Linear(width, dim, { seed: rng });
    if (head === 'mlp')
      this.head = new Sequential(
        new Linear(width, width, { seed: rng }),
        new ReLU(),
        new Linear(width, dim, { seed: rng }),
      );
    this.features = width;
    this.#size = size;
  }

  /** The class token after the last block and norm: [N, features]. */
  embed(x: Tensor): Tensor {
    checkTensor('vit', x, 'the input');
    const size = this.#size;
    if (x.rank !== 4 || x.shape[1] !== size || x.shape[2] !== size)
      throw new ShapeError(
        `vit: pictures must be [N, ${size}, ${size}, 3]; got ${show(x.shape)}. Resize them, ` +
          `or build with another size.`,
      );
    const [N, width] = [x.shape[0], this.features];
    const patches = reshape(this.patchEmbed.call(x), [N, this.posEmbed.shape[1] - 1, width]);
    let y = add(
      concat([cast(expand(this.clsToken, [N, 1, width]), patches.dtype as FloatType), patches], 1),
      this.posEmbed,
    );
    for (const block of this.blocks) y = block.call(y);
    return this.norm.call(reshape(slice(y, 1, 0, 1), [N, width])); // a norm of tokens is each token's own
  }

  /** [N, size, size, 3] -> [N, dim], or the features without a head. */
  forward(x: Tensor): Tensor {
    const y = this.embed(x);
    return this.head ? this.head.call(y) : y;
  }
}

/** Ti has 12 heads as S has in MoCo v3; conv stems stand for one block, so 11 are left. */
export const vitPresets: Record<string, VisionTransformerOptions> = {
  'vit-ti': { width: 192, depth: 12, heads: 12 },
  'vit-s': { width: 384, depth: 12, heads: 12 },
  'vit-b': { width: 768, depth: 12, heads: 12 },
  'vit-conv-ti': { width: 192, depth: 11, heads: 12, stem: 'conv' },
  'vit-conv-s': { width: 384, depth: 11, heads: 12, stem: 'conv' },
  'vit-conv-b': { width: 768, depth: 11, heads: 12, stem: 'conv' },
  'vit-tiny': { width: 64, depth: 4, heads: 4, patch: 4, size: 32 },
  'vit-mini': { width: 64, depth: 2, heads: 4, patch: 8, size: 32 },
};

/** Names that `vit` knows. */
export const vitNames = Object.keys(vitPresets);

/**
 * A vision transformer by name: vit-ti, vit-s, vit-b, vit-conv-ti, vit-conv-s, vit-conv-b, or vit-tiny and vit-mini for
 * pictures of 32 on small machines.
 */
export function vit(name: string, options: Partial<VisionTransformerOptions> = {}): VisionTransformer {
  check('vit', 'the name', name, oneOf(...vitNames), 'Choose one.');
  checkOptions('vit', options, { ...vitRules, width: whole(1), depth: whole(0, 1000), heads: whole(1) });
  const preset = vitPresets[name];
  return new VisionTransformer({ ...preset, ...options });
}
