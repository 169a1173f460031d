import { ResNet } from '../nn/resnet.js';
import { type Architecture, resnetArchitecture } from './architecture.js';
import type { Normalisation } from './embed.js';
import { encoderWeights, type Weights } from './layout.js';
import { loadModule } from './module-state.js';
import type { StoredTensor } from '../io/safetensors.js';

/** An encoder as a file describes it: its tensors with torchvision's names, and how pictures are put to it. */
export interface EncoderFile {
  tensors: Map<string, StoredTensor>;
  architecture: Architecture;
  normalisation: Normalisation;
}

const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** The query encoder of a checkpoint. Pictures are taken as ImageNet's where nothing else is said. @throws FormatError for another network. */
export function encoderOf(weights: Weights, file: string, said: Partial<Normalisation> & { stem?: string } = {}): EncoderFile {
  const tensors = encoderWeights(weights.tensors, file);
  const architecture = resnetArchitecture(tensors, file, said.stem ?? weights.metadata.stem);
  return { tensors, architecture, normalisation: { size: said.size ?? (architecture.stem === 'imagenet' ? 224 : 32), mean: said.mean ?? imagenet.mean, std: said.std ?? imagenet.std } };
}

/** The encoder on the current backend, evaluating. */
export function buildEncoder({ tensors, architecture }: EncoderFile, file: string): ResNet {
  const model = new ResNet({ ...architecture, head: 'none' });
  loadModule(model, tensors, file);
  return model.eval() as ResNet;
}
