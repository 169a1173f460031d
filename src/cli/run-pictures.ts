import { alignClasses } from '../data/classes.js';
import type { PictureSet, PictureSource } from '../data/picture-source.js';
import { SYNTHETIC } from '../data/synthetic.js';
import type { RunInfo } from '../train/run.node.js';
import { type Loading, openData } from './open-data.js';
import type { Output } from './output.js';

type Planned = Pick<RunInfo, 'data' | 'choice' | 'config'>;

/**
 * The pictures of a run, held-out ones too, in memory or streamed: to be evaluated in views of `size` (the run's), or
 * with `cropMin` large enough to cut random views out of them.
 */
export async function openRunSource(
  { data, choice, config }: Planned,
  loading: Loading,
  log: (text: string) => void,
  { size = config.size, cropMin }: { size?: number; cropMin?: number } = {},
): Promise<PictureSource> {
  const { seed } = config;
  const framing = data === SYNTHETIC ? { size: config.size } : { views: size, cropMin };
  return openData(data, { ...choice, ...framing, seed }, loading, log);
}

/** A set to measure on, its labels numbered as those that are trained on; what does not agree is a warning. */
export function alignedTo<S extends PictureSource>(train: PictureSet, test: S, out: Output): S {
  const { test: aligned, warnings } = alignClasses(train, test);
  for (const warning of warnings) out.warn(warning);
  return aligned;
}
