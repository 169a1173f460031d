import { type EncoderFile, encoderOf, type Said, saidRules } from '../checkpoints/encoder.js';
import { readWeights } from '../checkpoints/weights.node.js';
import { check, checkOptions, text } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import type { PretrainConfig } from '../moco/config.js';
import { families } from '../nn/families.js';
import { findRun } from './open-run.node.js';

/**
 * Opens the encoder of a run, which says how its pictures were prepared, or of a checkpoint: see `openRun` for the
 * names of a run's checkpoints. What files leave open may be said: the heads of a vision transformer, the stem of a
 * ResNet, which of several encoders.
 * @throws FormatError if there is none, ConfigError if what is said contradicts the run or the file.
 */
export async function openEncoder(path: string, said: Said = {}): Promise<EncoderFile> {
  check('openEncoder', 'the path', path, text);
  checkOptions('openEncoder', said, saidRules);
  const run = findRun(path);
  if (run) checkAgrees(path, run.info.config, said);
  const file = run?.checkpoint ?? path;
  return encoderOf(await readWeights(file), file, { ...run?.info.config, ...said });
}

/** A run knows its stem, and the heads by its model's name. */
function checkAgrees(path: string, { model, stem }: PretrainConfig, said: Said): void {
  const family = families.find(({ names }) => names.includes(model));
  const known = { stem: family && !('stem' in family.options) ? undefined : stem, heads: family?.heads?.(model) };
  for (const key of ['stem', 'heads'] as const)
    if (said[key] !== undefined && known[key] !== undefined && said[key] !== known[key])
      throw new ConfigError(
        `--${key}: it must be that of the run ${path}, ${known[key]}; got ${said[key]}. Leave it out.`,
      );
}
