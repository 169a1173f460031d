import { ConfigError, FormatError } from '../core/errors.js';
import type { StoredTensor } from '../io/safetensors.js';
import { type VisionTransformerOptions, vitNames, vitPresets } from '../nn/vit.js';

/** What a vision transformer must be to have these tensors, besides its head. */
export interface VitArchitecture extends Required<Pick<VisionTransformerOptions, 'width' | 'depth' | 'heads' | 'patch' | 'size'>> {
  stem: 'patch' | 'conv';
  /** The name that `vit` knows it by, if it has one. */
  model?: string;
}

/**
 * Reads a vision transformer's options off the names and shapes of its tensors (timm's, filters as OIHW). Heads leave no
 * trace in them: they are `heads`, else those of the `model` that the file names, else of MoCo v3's of that width, else
 * one for 64 channels.
 * @throws FormatError for another network, ConfigError for heads that do not divide its width.
 */
export function vitArchitecture(tensors: ReadonlyMap<string, Pick<StoredTensor, 'shape'>>, file: string, said: { model?: string; heads?: number } = {}): VitArchitecture {
  const shape = (name: string): number[] => tensors.get(name)?.shape ?? [];
  const [, , width] = shape('cls_token');
  const [, tokens] = shape('pos_embed');
  const stem: Built['stem'] = tensors.has('patch_embed.proj.0.weight') ? 'conv' : 'patch';
  const patch = stem === 'patch' ? shape('patch_embed.proj.weight')[2] : 2 ** strides(tensors);
  const side = Math.sqrt(tokens - 1);
  let depth = 0;
  while (tensors.has(`blocks.${depth}.attn.qkv.weight`)) depth++;
  if (!(width > 0 && patch > 0 && depth > 0 && Number.isInteger(side) && side > 0))
    throw new FormatError(
      `${file}: its encoder must be a vision transformer with timm's names and as many patches down as across; ` +
        `got ${depth} blocks and pos_embed [${shape('pos_embed')}]. Rename the tensors, or choose another checkpoint.`,
    );
  const built: Built = { width, depth, patch, stem };
  const name = [said.model ?? '', ...vitNames].find((n) => fits(vitPresets[n], built));
  const heads = said.heads ?? (vitPresets[name ?? ''] ?? Object.values(vitPresets).find((p) => p.width === width))?.heads ?? Math.ceil(width / 64);
  if (!(Number.isInteger(heads) && width % heads === 0)) throw new ConfigError(`${file}: heads must divide the width, ${width}; got ${heads}. Choose a divisor.`);
  return { ...(name && { model: name }), ...built, heads, size: side * patch };
}

/** What tensors tell for sure. */
type Built = Pick<VitArchitecture, 'width' | 'depth' | 'patch' | 'stem'>;

const fits = (p: VisionTransformerOptions | undefined, built: Built): boolean =>
  p !== undefined && p.width === built.width && p.depth === built.depth && (p.patch ?? 16) === built.patch && (p.stem ?? 'patch') === built.stem;

/** Convolutions of stride 2 in a conv stem: all but the last, which is 1×1. */
function strides(tensors: ReadonlyMap<string, unknown>): number {
  let count = 0;
  while (tensors.has(`patch_embed.proj.${3 * count + 1}.weight`)) count++;
  return count;
}
