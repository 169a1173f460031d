import fc from 'fast-check';
import type { Pictures } from '../../src/data/picture-source.js';

/** A set of 1x2 pictures with the given labels; picture i is made of bytes that tell i. */
export function tiny(labels: number[], classes?: string[]): Pictures {
  const data = Uint8Array.from(labels.flatMap((_, i) => [i, i >> 8, 0, 1, 2, 3]));
  const names = labels.map((_, i) => `picture ${i}`);
  return {
    data,
    count: labels.length,
    height: 1,
    width: 2,
    names,
    skipped: [],
    ...(classes && { labels: Uint32Array.from(labels), classes }),
  };
}

/** The indices that the pictures of a `tiny` set carry in their bytes. */
export const carried = (p: Pictures): number[] =>
  Array.from({ length: p.count }, (_, i) => p.data[6 * i] + 256 * p.data[6 * i + 1]);

/** Labelled and unlabelled sets of 0 to 60 pictures in three classes. */
export const anySet = fc
  .tuple(fc.array(fc.nat(2), { maxLength: 60 }), fc.boolean())
  .map(([labels, named]) => tiny(labels, named ? ['cat', 'dog', 'frog'] : undefined));
