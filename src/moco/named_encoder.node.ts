import { FormatError } from '../core/errors.js';
import type { StoredTensor } from '../io/safetensors.js';
import type { ModelOptions } from '../nn/models.js';
import { isVit, type Said } from './encoder.js';
import { openEncoder } from './encoder.node.js';
import type { Normalisation } from './embed.js';

/** An encoder that `buildModel` can build again. */
export interface NamedEncoder extends Normalisation, Pick<ModelOptions, 'stem' | 'heads'> {
  model: string;
  stem: NonNullable<ModelOptions['stem']>;
  tensors: Map<string, StoredTensor>;
}

/**
 * The encoder of a run's folder or of a checkpoint, of a model that has a name. `heads` as for `openEncoder`.
 * @throws FormatError for anything else.
 */
export async function openNamedEncoder(path: string, said: Pick<Said, 'heads'> = {}): Promise<NamedEncoder> {
  const { tensors, architecture, normalisation } = await openEncoder(path, said);
  const { model } = architecture;
  if (model === undefined) throw new FormatError(`${path}: its encoder must be a model that has a name; got another. Name a run's folder, or such a checkpoint.`);
  return { model, ...normalisation, tensors, ...(isVit(architecture) ? { stem: 'imagenet', heads: architecture.heads } : { stem: architecture.stem }) };
}
