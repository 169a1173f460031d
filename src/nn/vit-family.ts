import { needed, whole } from '../core/check.js';
import { ConfigError, FormatError } from '../core/errors.js';
import { show } from '../core/shape.js';
import { onnxVit } from '../io/onnx-vit.js';
import type { Architecture, Family, Hints, StateDict } from './family.js';
import { positionValues } from './position-embedding.js';
import { headRules } from './resnet.js';
import { VisionTransformer, type VisionTransformerOptions, vit, vitNames, vitPresets, vitRules } from './vit.js';

/** What a vision transformer must be to have these tensors, besides its head. */
interface VitArchitecture
  extends Architecture,
    Required<Pick<VisionTransformerOptions, 'width' | 'depth' | 'heads' | 'patch' | 'size'>> {
  stem: 'patch' | 'conv';
}

/**
 * Reads a vision transformer's options off the names and shapes of its tensors (timm's, filters as OIHW). Heads leave
 * no trace in them: they are `heads`, else those of the `model` that the file names, else `assumedHeads`.
 * @throws FormatError for another network, ConfigError for heads that do not divide its width.
 */
function vitArchitecture(tensors: StateDict, file: string, said: Hints = {}): VitArchitecture {
  const shape = (name: string): number[] => tensors.get(name)?.shape ?? [];
  const [, , width] = shape('cls_token');
  const [, tokens] = shape('pos_embed');
  const stem: Built['stem'] = tensors.has('patch_embed.proj.0.weight') ? 'conv' : 'patch';
  const patch = stem === 'patch' ? shape('patch_embed.proj.weight')[2] : 2 ** strides(tensors);
  const side = Math.sqrt(tokens - 1);
  let depth = 0;
  while (tensors.has(`blocks.${depth}.attn.qkv.weight`)) depth++;
  if (!(width > 0 && patch > 0 && depth > 0 && Number.isInteger(side) && side > 0)) {
    const beside = [...tensors]
      .filter(([n]) => !/^(blocks|patch_embed\.proj|norm|head)\./.test(n))
      .map(([n, t]) => `${n} ${show(t.shape)}`);
    throw new FormatError(
      `${file}: its encoder must be a vision transformer with timm's names, ` +
        `a class token and as many patches down as across; ` +
        `got ${depth} blocks and ${beside.slice(0, 8).join(', ')}. Choose another checkpoint.`,
    );
  }
  const built: Built = { width, depth, patch, stem };
  const name = [said.model ?? '', ...vitNames].find((n) => isOf(vitPresets[n], built));
  const heads = said.heads ?? headsIn(said.model, built) ?? assumedHeads(tensors, built);
  if (!(Number.isInteger(heads) && heads > 0 && width % heads === 0))
    throw new ConfigError(`${file}: heads must divide the width, ${width}; got ${heads}. Choose a divisor: --heads.`);
  return { ...(name && { model: name }), ...built, heads, size: side * patch };
}

/** The heads of a model that was named, if it is this one. */
const headsIn = (model: string | undefined, built: Built): number | undefined =>
  model !== undefined && isOf(vitPresets[model], built) ? vitPresets[model].heads : undefined;

/** Heads of timm's largest, which have other than one for 64 channels. */
const WIDE: Record<number, number> = { 1152: 16, 1280: 16, 1408: 16, 1664: 16 };

/**
 * MoCo v3's of that width if the positions are its fixed ones (12 for S, where timm's and DeiT's has 6), else timm's:
 * one for 64 channels.
 */
function assumedHeads(tensors: StateDict, { width }: Pick<Built, 'width'>): number {
  const moco = hasMocoPositions(tensors) ? Object.values(vitPresets).find((p) => p.width === width)?.heads : undefined;
  return moco ?? WIDE[width] ?? Math.ceil(width / 64);
}

/** Whether the position embedding is the fixed one of MoCo v3, as far as f16 can tell. */
function hasMocoPositions(tensors: StateDict): boolean {
  const {
    shape: [, tokens, width],
    data,
  } = tensors.get('pos_embed')!;
  const side = Math.sqrt(tokens - 1);
  if (!Number.isInteger(side) || width % 4 !== 0) return false;
  return positionValues(side, side, width).every((v, i) => Math.abs(v - Number(data[i])) < 1e-3);
}

/** What names and shapes leave open, and how it is taken. */
function assumedOfVit(architecture: VitArchitecture, tensors: StateDict, said: Hints): string[] {
  const known = said.heads ?? headsIn(said.model, architecture);
  const why = hasMocoPositions(tensors) ? "its positions are MoCo v3's" : 'timm has so many at this width';
  return known === undefined
    ? [`${architecture.heads} attention heads, which no file tells: ${why} (--heads N: other)`]
    : [];
}

/** What tensors tell for sure. */
type Built = Pick<VitArchitecture, 'width' | 'depth' | 'patch' | 'stem'>;

const isOf = (p: VisionTransformerOptions | undefined, built: Built): boolean =>
  p !== undefined &&
  p.width === built.width &&
  p.depth === built.depth &&
  (p.patch ?? 16) === built.patch &&
  (p.stem ?? 'patch') === built.stem;

/** Convolutions of stride 2 in a conv stem: all but the last, which is 1×1. */
function strides(tensors: ReadonlyMap<string, unknown>): number {
  let count = 0;
  while (tensors.has(`patch_embed.proj.${3 * count + 1}.weight`)) count++;
  return count;
}

export const visionTransformers: Family<VitArchitecture> = {
  is: 'a vision transformer',
  names: vitNames,
  options: { ...headRules, size: needed(vitRules.size), stopGradConv1: vitRules.stopGradConv1, heads: whole(1) },
  marks: { inside: 'blocks.0.norm1.weight', stem: ['patch_embed.proj.weight', 'patch_embed.proj.0.weight'] },
  head: 'head',
  recipe: {
    method: 'moco-v3',
    supervised: { optimizer: 'adamw', lr: 1e-3, momentum: 0.9, weightDecay: 0.05, warmup: 2 },
    linear: 'v3-vit',
    presets: { published: 'v3-vit-s', demo: 'v3-vit-demo' },
    projector: 3,
    predictorNorm: true,
  },
  build: (name, { stem: _, zeroInitResidual: __, ...options }) => vit(name, options),
  recognise: vitArchitecture,
  assumed: assumedOfVit,
  restore: ({ model: _, ...sizes }) => new VisionTransformer({ ...sizes, head: 'none' }),
  side,
  describe: ({ heads, size }) => ({ stem: 'imagenet', heads, size }),
  heads: (name) => vitPresets[name].heads,
  onnx: onnxVit,
  config: ({ width, depth, heads, size, patch }) => ({
    model_type: 'vit',
    architectures: ['ViTModel'],
    hidden_size: width,
    num_hidden_layers: depth,
    num_attention_heads: heads,
    image_size: size,
    patch_size: patch,
  }),
};

/** The positions fix the size. */
function side({ size, patch }: VitArchitecture, file: string, asked = size): number {
  if (asked === size) return size;
  throw new ConfigError(
    `--size: it must be that of the position embedding in ${file}, ` +
      `${size} (${(size / patch) ** 2} patches of ${patch}); got ${asked}. Leave it out.`,
  );
}
