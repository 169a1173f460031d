import { ConfigError } from '../core/errors.js';
import { drawPictures } from '../data/drawn.js';
import type { PictureSet } from '../data/pictures.js';
import type { PictureSource } from '../data/source.js';
import type { RunInfo } from '../moco/run.node.js';
import { type Loading, openData } from './loading.js';

type Planned = Pick<RunInfo, 'data' | 'choice' | 'config'>;

/** The pictures of a run, held-out ones too, large enough to cut its views out of them, in memory or streamed. */
export async function openRunSource({ data, choice, config: { size, seed } }: Planned, loading: Loading, tell: (text: string) => void): Promise<PictureSource> {
  if (data !== 'drawn') return openData(data, { ...choice, seed, views: size }, loading, tell);
  if (loading.stream) throw new ConfigError('--stream: only folders of pictures are streamed; got drawn pictures, which are made in memory. Leave it out, or name a folder.');
  return drawPictures({ count: choice.count!, size, seed });
}

/** Pictures to measure on that are a set of their own: of the size and the classes of those that were trained on. */
export const openTestSource = (
  test: string, { height, classes }: PictureSet, loading: Loading, tell: (text: string) => void,
): Promise<PictureSource> => openData(test, { size: height, ...(classes && { classes }) }, loading, tell);
