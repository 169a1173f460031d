import { onShapes } from '../backend/shapes.js';
import { buildEncoder, type EncoderFile, encoderOf, type Said } from './encoder.js';
import { findRun } from './run.node.js';
import { readWeights } from './weights.node.js';

/**
 * Opens the encoder of a run, which says how its pictures were prepared, or of a checkpoint: see `openRun` for the names of a
 * run's checkpoints. The heads of a vision transformer may be said, as files do not tell them: see `vitArchitecture`.
 * @throws FormatError if there is none.
 */
export async function openEncoder(path: string, said: Pick<Said, 'heads'> = {}): Promise<EncoderFile> {
  const run = findRun(path);
  const file = run?.checkpoint ?? path;
  const encoder = encoderOf(await readWeights(file), file, { ...run?.info.config, ...said });
  onShapes(() => buildEncoder(encoder, file)); // what cannot be built is told before pictures are opened
  return encoder;
}
