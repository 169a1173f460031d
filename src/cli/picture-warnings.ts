import { visibleName } from '../core/visible.js';
import { inMemory, ofManyShapes, type PictureSet, type PictureSource } from '../data/picture-source.js';
import type { Output } from './output.js';

const NAMED = 5; // files

/**
 * What every command tells of the pictures it read: what looks wrong with them, and which files were left out and why.
 */
export function logPictures({ warnings = [], skipped, count }: PictureSet, out: Output): void {
  for (const warning of warnings) out.warn(warning);
  if (skipped.length === 0) return;
  const named = skipped
    .slice(0, out.verbose ? undefined : NAMED)
    .map(({ name, reason }) => `\n  ${visibleName(name)}: ${reason}`);
  const more =
    skipped.length > named.length ? `\n  and ${skipped.length - named.length} more (--verbose names all)` : '';
  out.warn(
    `${skipped.length} of ${count + skipped.length} pictures cannot be read and are left out:${named.join('')}${more}`,
  );
}

/** How large pictures are: 400×300, or at most how many pixels where their shapes differ. */
export function sizeText(pictures: PictureSource): string {
  const { height, width } = pictures;
  if (!ofManyShapes(pictures)) return `${width}×${height}`;
  const places = inMemory(pictures) ? pictures.places! : new Uint32Array(0);
  const [, h, w] = places;
  const alike = places.length > 0 && places.every((v, at) => at % 3 === 0 || v === (at % 3 === 1 ? h : w));
  return alike ? `${w}×${h}` : `different shapes, ${width}×${height} pixels at most`;
}
