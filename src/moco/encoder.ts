import { anyNumber, above0, check, isRecord, listOf, text, whole } from '../core/check.js';
import type { StoredTensor } from '../io/safetensors.js';
import type { Encoder } from '../nn/models.js';
import { ResNet } from '../nn/resnet.js';
import { VisionTransformer } from '../nn/vit.js';
import { type Architecture, resnetArchitecture } from './architecture.js';
import type { Normalisation } from './embed.js';
import { encoderWeights, type Weights } from './layout.js';
import { loadModule } from './module-state.js';
import { type VitArchitecture, vitArchitecture } from './vit_architecture.js';

/** An encoder as a file describes it: its tensors with torchvision's or timm's names, and how pictures are put to it. */
export interface EncoderFile {
  tensors: Map<string, StoredTensor>;
  architecture: Architecture | VitArchitecture;
  normalisation: Normalisation;
}

export const isVit = (a: Architecture | VitArchitecture): a is VitArchitecture => 'heads' in a;

const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** What is known of an encoder besides its tensors. `heads` are those of a vision transformer. */
export interface Said extends Partial<Normalisation> {
  stem?: string;
  model?: string;
  heads?: number;
}

const rules = { stem: text, model: text, heads: whole(1), size: whole(1), mean: listOf(anyNumber, 3), std: listOf(above0, 3) };

/** The query encoder of a checkpoint. Pictures are taken as ImageNet's where nothing else is said. @throws FormatError for another network. */
export function encoderOf(weights: Weights, file: string, also: Said = {}): EncoderFile {
  check('encoderOf', 'the weights', weights, { is: 'an object of tensors and metadata', holds: (v) => isRecord(v) && isRecord(v.metadata) });
  check('encoderOf', 'what is said', also, { is: 'an object', holds: isRecord });
  for (const [key, rule] of Object.entries(rules)) if (also[key as keyof Said] !== undefined) check('encoderOf', key, also[key as keyof Said], rule);
  const tensors = encoderWeights(weights.tensors, file);
  const said = { ...saidIn(weights.metadata), ...also };
  const architecture = tensors.has('cls_token') ? vitArchitecture(tensors, file, said) : resnetArchitecture(tensors, file, said.stem);
  const size = isVit(architecture) ? architecture.size : architecture.stem === 'imagenet' ? 224 : 32;
  return { tensors, architecture, normalisation: { size: said.size ?? size, mean: said.mean ?? imagenet.mean, std: said.std ?? imagenet.std } };
}

/** What a classifier's file says of itself. */
function saidIn({ stem, model, heads, size, mean, std }: Record<string, string>): Said {
  const numbers = (list: string) => list.split(',').map(Number);
  return {
    stem, model, ...(heads && { heads: Number(heads) }),
    ...(size && { size: Number(size) }), ...(mean && { mean: numbers(mean) }), ...(std && { std: numbers(std) }),
  };
}

/** Throws unless `encoder` is what `encoderOf` gives. */
export const checkEncoderFile = (where: string, encoder: unknown): void =>
  check(where, 'the encoder', encoder, { is: 'one that openEncoder() or encoderOf() gave', holds: (v) => isRecord(v) && v.tensors instanceof Map && isRecord(v.architecture) });

/** The encoder on the current backend, evaluating, without its head. */
export function buildEncoder(encoder: EncoderFile, file: string): Encoder {
  checkEncoderFile('buildEncoder', encoder);
  const { tensors, architecture } = encoder;
  check('buildEncoder', 'the file', file, text);
  const { model: _, ...sizes } = architecture;
  const model = isVit(architecture) ? new VisionTransformer({ ...(sizes as typeof architecture), head: 'none' }) : new ResNet({ ...(sizes as Architecture), head: 'none' });
  loadModule(model, tensors, file);
  return model.eval();
}
