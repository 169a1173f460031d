import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type EncoderFile, encoderOf } from './encoder.js';
import { openRun } from './run.node.js';
import { readWeights } from './weights.node.js';

/** Opens the encoder of a run's folder, which says how its pictures were prepared, or of a checkpoint. @throws FormatError if there is none. */
export async function openEncoder(path: string): Promise<EncoderFile> {
  if (!existsSync(join(path, 'config.json'))) return encoderOf(await readWeights(path), path);
  const { config } = openRun(path).info;
  const file = join(path, 'checkpoint.safetensors');
  return encoderOf(await readWeights(file), file, config);
}
