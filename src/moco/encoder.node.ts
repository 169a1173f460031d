import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { check, checkOptions, text, whole } from '../core/check.js';
import { type EncoderFile, encoderOf, type Said } from './encoder.js';
import { openRun } from './run.node.js';
import { readWeights } from './weights.node.js';

/**
 * Opens the encoder of a run's folder, which says how its pictures were prepared, or of a checkpoint. The heads of a
 * vision transformer may be said, as files do not tell them: see `vitArchitecture`.
 * @throws FormatError if there is none.
 */
export async function openEncoder(path: string, said: Pick<Said, 'heads'> = {}): Promise<EncoderFile> {
  check('openEncoder', 'the path', path, text);
  checkOptions('openEncoder', said, { heads: whole(1) });
  if (!existsSync(join(path, 'config.json'))) return encoderOf(await readWeights(path), path, said);
  const { config } = openRun(path).info;
  const file = join(path, 'checkpoint.safetensors');
  return encoderOf(await readWeights(file), file, { ...config, ...said });
}
