import { ShapeError } from '../core/errors.js';
import { type Pictures, roomFor } from './picture-source.js';

/** Sets of the same size and classes one after the other, e.g. the batches of CIFAR-10. */
export function joinPictures(parts: readonly Pictures[]): Pictures {
  const [first, ...rest] = parts;
  if (rest.length === 0) return first;
  for (const p of rest)
    if (p.places || first.places || p.height !== first.height || p.width !== first.width || p.classes?.join('\n') !== first.classes?.join('\n'))
      throw new ShapeError(
        `joinPictures: all parts have one size and one list of classes; got ${first.height}x${first.width} and ${p.height}x${p.width}. Join like with like.`,
      );
  const count = parts.reduce((n, p) => n + p.count, 0);
  const data = roomFor('joinPictures', count, first.height, first.width);
  const labels = first.labels && new Uint32Array(count);
  parts.reduce((at, p) => (data.set(p.data, at), at + p.data.length), 0);
  if (labels) parts.reduce((at, p) => (labels.set(p.labels!, at), at + p.count), 0);
  return {
    ...first, data, count, ...(labels && { labels }),
    names: parts.flatMap((p) => p.names), skipped: parts.flatMap((p) => p.skipped),
  };
}
