import { drawPictures } from '../data/drawn.js';
import { openPictures } from '../data/open.node.js';
import type { Pictures } from '../data/pictures.js';
import type { RunInfo } from '../moco/run.node.js';

/** The pictures of a run, held-out ones too, large enough to cut its views out of them. */
export async function openRunPictures({ data, choice, config: { size, seed } }: Pick<RunInfo, 'data' | 'choice' | 'config'>): Promise<Pictures> {
  return data === 'drawn' ? drawPictures({ count: choice.count!, size, seed }) : openPictures(data, { ...choice, seed, views: size });
}
