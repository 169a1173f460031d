import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FormatError } from '../core/errors.js';
import type { StoredTensor } from '../io/safetensors.js';
import type { ModelOptions } from '../nn/models.js';
import { encoderOf, isVit } from './encoder.js';
import type { Normalisation } from './embed.js';
import { encoderWeights } from './layout.js';
import { openRun } from './run.node.js';
import { readWeights } from './weights.node.js';

/** An encoder that `buildModel` can build again. */
export interface NamedEncoder extends Normalisation, Pick<ModelOptions, 'stem'> {
  model: string;
  stem: NonNullable<ModelOptions['stem']>;
  tensors: Map<string, StoredTensor>;
}

/** The encoder of a run's folder, of any model; or of a checkpoint, of a ResNet that has a name. @throws FormatError for anything else. */
export async function openNamedEncoder(path: string): Promise<NamedEncoder> {
  if (existsSync(join(path, 'config.json'))) {
    const { model, stem, size, mean, std } = openRun(path).info.config;
    const file = join(path, 'checkpoint.safetensors');
    return { model, stem, size, mean, std, tensors: encoderWeights((await readWeights(file)).tensors, file) };
  }
  const { tensors, architecture, normalisation } = encoderOf(await readWeights(path), path);
  if (isVit(architecture) || architecture.model === undefined) throw new FormatError(`${path}: its encoder must be a ResNet that has a name; got another. Name a run's folder, or such a checkpoint.`);
  return { model: architecture.model, stem: architecture.stem, ...normalisation, tensors };
}
