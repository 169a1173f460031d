import { type EncoderFile, encoderOf, type Said } from './encoder.js';
import { findRun } from './run.node.js';
import { readWeights } from './weights.node.js';

/**
 * Opens the encoder of a run, which says how its pictures were prepared, or of a checkpoint: see `openRun` for the names of a
 * run's checkpoints. The heads of a vision transformer may be said, as files do not tell them: see `vitArchitecture`.
 * @throws FormatError if there is none.
 */
export async function openEncoder(path: string, said: Pick<Said, 'heads'> = {}): Promise<EncoderFile> {
  const run = findRun(path);
  if (!run) return encoderOf(await readWeights(path), path, said);
  return encoderOf(await readWeights(run.checkpoint), run.checkpoint, { ...run.info.config, ...said });
}
