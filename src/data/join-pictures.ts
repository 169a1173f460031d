import { ShapeError } from '../core/errors.js';
import { roomFor } from './picture-memory.js';
import type { PictureSet, Pictures, Pixels } from './picture-source.js';

/** @throws ShapeError unless all sets have pictures of one size and the same classes. */
export function checkAlike(where: string, parts: readonly (PictureSet & Partial<Pixels>)[]): void {
  const [first, ...rest] = parts;
  for (const p of rest)
    if (
      p.places ||
      first.places ||
      p.height !== first.height ||
      p.width !== first.width ||
      p.classes?.join('\n') !== first.classes?.join('\n')
    )
      throw new ShapeError(
        `${where}: all parts must have one size and one list of classes; ` +
          `got ${first.height}x${first.width} and ${p.height}x${p.width}. Join like with like.`,
      );
}

/** The labels of all parts, if the first has any. */
export function joinLabels(parts: readonly Pick<PictureSet, 'labels' | 'count'>[]): Uint32Array | undefined {
  const labels = parts[0].labels && new Uint32Array(parts.reduce((n, p) => n + p.count, 0));
  if (labels) parts.reduce((at, p) => (labels.set(p.labels!, at), at + p.count), 0);
  return labels;
}

/** Sets of the same size and classes one after the other, e.g. the batches of CIFAR-10. */
export function joinPictures(parts: readonly Pictures[]): Pictures {
  const [first, ...rest] = parts;
  if (rest.length === 0) return first;
  checkAlike('joinPictures', parts);
  const count = parts.reduce((n, p) => n + p.count, 0);
  const data = roomFor('joinPictures', count, first.height, first.width);
  const labels = joinLabels(parts);
  parts.reduce((at, p) => (data.set(p.data, at), at + p.data.length), 0);
  return {
    ...first,
    data,
    count,
    ...(labels && { labels }),
    names: parts.flatMap((p) => p.names),
    skipped: parts.flatMap((p) => p.skipped),
  };
}
