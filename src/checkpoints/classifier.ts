import { anything, check, checkOptions, instance, maybe, needed, text, whole } from '../core/check.js';
import type { StoredTensor } from '../io/safetensors.js';
import { familyOf } from '../nn/families.js';
import { buildModel, type Encoder, type ModelOptions } from '../nn/models.js';
import { headsOf } from './encoder.js';
import { checkFinite } from './finite.js';
import { loadModule, moduleTensors } from './module-state.js';

/** What a classifier is built for. */
export interface ClassifierOptions extends Pick<ModelOptions, 'stem' | 'size' | 'seed' | 'heads'> {
  /** Outputs of the new head. */
  classes: number;
}

/**
 * A model by name with a new linear head, every parameter to be trained.
 *
 * @param encoder tensors to start from, with the names of torchvision or timm; their head is dropped. Without them it
 * starts from scratch.
 * @throws FormatError if the tensors are another model's, or not finite.
 */
export async function buildClassifier(
  name: string,
  options: ClassifierOptions,
  encoder?: ReadonlyMap<string, StoredTensor>,
  file = name,
): Promise<Encoder> {
  check('buildClassifier', 'the name', name, text);
  checkOptions('buildClassifier', options, {
    classes: needed(whole(1)),
    stem: anything,
    size: needed(whole(1)),
    seed: anything,
    heads: anything,
  });
  check('buildClassifier', 'the encoder', encoder, maybe(instance(Map)), 'Pass tensors by name.');
  check('buildClassifier', 'the file', file, text);
  const { classes, ...others } = options;
  const model = buildModel(name, { ...others, head: 'linear', dim: classes, stopGradConv1: false });
  if (!encoder) return model;
  const isHead = headsOf(familyOf(name));
  checkFinite(encoder, file, isHead);
  const head = [...(await moduleTensors(model))].filter(([tensor]) => isHead(tensor));
  loadModule(model, new Map([...[...encoder].filter(([tensor]) => !isHead(tensor)), ...head]), file);
  return model;
}
