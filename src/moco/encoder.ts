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

/** The query encoder of a checkpoint. Pictures are taken as ImageNet's where nothing else is said. @throws FormatError for another network. */
export function encoderOf(weights: Weights, file: string, said: Partial<Normalisation> & { stem?: string; model?: string } = {}): EncoderFile {
  const tensors = encoderWeights(weights.tensors, file);
  const { stem, model } = { ...weights.metadata, ...said };
  const architecture = tensors.has('cls_token') ? vitArchitecture(tensors, file, model) : resnetArchitecture(tensors, file, stem);
  const size = isVit(architecture) ? architecture.size : architecture.stem === 'imagenet' ? 224 : 32;
  return { tensors, architecture, normalisation: { size: said.size ?? size, mean: said.mean ?? imagenet.mean, std: said.std ?? imagenet.std } };
}

/** The encoder on the current backend, evaluating, without its head. */
export function buildEncoder({ tensors, architecture }: EncoderFile, file: string): Encoder {
  const model = isVit(architecture) ? new VisionTransformer({ ...architecture, head: 'none' }) : new ResNet({ ...architecture, head: 'none' });
  loadModule(model, tensors, file);
  return model.eval();
}
