import { ConfigError, FormatError } from '../core/errors.js';
import { show } from '../core/shape.js';
import type { StoredTensor } from '../io/safetensors.js';
import { positionValues } from '../nn/position-embedding.js';
import { type VisionTransformerOptions, vitNames, vitPresets } from '../nn/vit.js';

/** What a vision transformer must be to have these tensors, besides its head. */
export interface VitArchitecture extends Required<Pick<VisionTransformerOptions, 'width' | 'depth' | 'heads' | 'patch' | 'size'>> {
  stem: 'patch' | 'conv';
  /** The name that `vit` knows it by, if it has one. */
  model?: string;
}

/** What is known of a vision transformer besides its tensors. */
interface SaidOfVit {
  model?: string;
  heads?: number;
}

/**
 * Reads a vision transformer's options off the names and shapes of its tensors (timm's, filters as OIHW). Heads leave no
 * trace in them: they are `heads`, else those of the `model` that the file names, else `assumedHeads`.
 * @throws FormatError for another network, ConfigError for heads that do not divide its width.
 */
export function vitArchitecture(tensors: ReadonlyMap<string, StoredTensor>, file: string, said: SaidOfVit = {}): VitArchitecture {
  const shape = (name: string): number[] => tensors.get(name)?.shape ?? [];
  const [, , width] = shape('cls_token');
  const [, tokens] = shape('pos_embed');
  const stem: Built['stem'] = tensors.has('patch_embed.proj.0.weight') ? 'conv' : 'patch';
  const patch = stem === 'patch' ? shape('patch_embed.proj.weight')[2] : 2 ** strides(tensors);
  const side = Math.sqrt(tokens - 1);
  let depth = 0;
  while (tensors.has(`blocks.${depth}.attn.qkv.weight`)) depth++;
  if (!(width > 0 && patch > 0 && depth > 0 && Number.isInteger(side) && side > 0)) {
    const beside = [...tensors].filter(([n]) => !/^(blocks|patch_embed\.proj|norm|head)\./.test(n)).map(([n, t]) => `${n} ${show(t.shape)}`);
    throw new FormatError(
      `${file}: its encoder must be a vision transformer with timm's names, a class token and as many patches down as across; ` +
        `got ${depth} blocks and ${beside.slice(0, 8).join(', ')}. Choose another checkpoint.`,
    );
  }
  const built: Built = { width, depth, patch, stem };
  const name = [said.model ?? '', ...vitNames].find((n) => fits(vitPresets[n], built));
  const heads = said.heads ?? headsIn(said.model, built) ?? assumedHeads(tensors, built);
  if (!(Number.isInteger(heads) && heads > 0 && width % heads === 0))
    throw new ConfigError(`${file}: heads must divide the width, ${width}; got ${heads}. Choose a divisor: --heads.`);
  return { ...(name && { model: name }), ...built, heads, size: side * patch };
}

/** The heads of a model that was named, if it is this one. */
const headsIn = (model: string | undefined, built: Built): number | undefined =>
  model !== undefined && fits(vitPresets[model], built) ? vitPresets[model].heads : undefined;

/** Heads of timm's largest, which have other than one for 64 channels. */
const WIDE: Record<number, number> = { 1152: 16, 1280: 16, 1408: 16, 1664: 16 };

/** MoCo v3's of that width if the positions are its fixed ones (12 for S, where timm's and DeiT's has 6), else timm's: one for 64 channels. */
function assumedHeads(tensors: ReadonlyMap<string, StoredTensor>, { width }: Pick<Built, 'width'>): number {
  const moco = hasMocoPositions(tensors) ? Object.values(vitPresets).find((p) => p.width === width)?.heads : undefined;
  return moco ?? WIDE[width] ?? Math.ceil(width / 64);
}

/** Whether the position embedding is the fixed one of MoCo v3, as far as halves can tell. */
function hasMocoPositions(tensors: ReadonlyMap<string, StoredTensor>): boolean {
  const { shape: [, tokens, width], data } = tensors.get('pos_embed')!;
  const side = Math.sqrt(tokens - 1);
  if (!Number.isInteger(side) || width % 4 !== 0) return false;
  return positionValues(side, side, width).every((v, i) => Math.abs(v - Number(data[i])) < 1e-3);
}

/** What names and shapes leave open, and how it is taken. */
export function assumedOfVit(architecture: VitArchitecture, tensors: ReadonlyMap<string, StoredTensor>, said: SaidOfVit): string[] {
  const known = said.heads ?? headsIn(said.model, architecture);
  const why = hasMocoPositions(tensors) ? "its positions are MoCo v3's" : 'timm has so many at this width';
  return known === undefined ? [`${architecture.heads} attention heads, which no file tells: ${why} (--heads N: other)`] : [];
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
