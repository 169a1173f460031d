import type { EncoderFile, Said } from '../checkpoints/encoder.js';
import { FormatError } from '../core/errors.js';
import type { Normalisation } from '../input/evaluation-crop.js';
import type { ModelOptions } from '../nn/models.js';
import { openEncoder } from './encoder.node.js';

/** An encoder that `buildModel` can build again. */
export interface NamedEncoder
  extends Normalisation,
    Pick<ModelOptions, 'stem' | 'heads'>,
    Pick<EncoderFile, 'tensors' | 'taken' | 'notes' | 'warnings'> {
  model: string;
  stem: NonNullable<ModelOptions['stem']>;
}

/**
 * The encoder of a run's folder or of a checkpoint, of a model that has a name. `said` as for `openEncoder`.
 * @throws FormatError for anything else.
 */
export async function openNamedEncoder(path: string, said: Said = {}): Promise<NamedEncoder> {
  const { tensors, family, architecture, normalisation, taken, notes, warnings } = await openEncoder(path, said);
  const { model } = architecture;
  if (model === undefined)
    throw new FormatError(
      `${path}: its encoder must be a model that has a name; got another. Name a run's folder, or such a checkpoint.`,
    );
  return { model, ...normalisation, tensors, taken, notes, warnings, ...family.describe(architecture) };
}
