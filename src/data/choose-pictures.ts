import type { OpenOptions } from './format.js';
import { padTo } from './pad-pictures.js';
import type { PictureSource } from './picture-source.js';
import { limitPerClass, selectClasses } from './pictures.js';

type Choice = Pick<OpenOptions, 'size' | 'classes' | 'limitPerClass' | 'seed'>;

/** What options choose of a set of pictures of one size: its classes, so many of each, padded with black to `size`. */
export function chosenOf<S extends PictureSource>(
  all: S,
  { size, classes, limitPerClass: limit, seed = 0 }: Choice,
): S {
  const chosen = classes ? selectClasses(all, classes) : all;
  const limited = limit === undefined ? chosen : limitPerClass(chosen, limit, seed);
  return size === undefined ? limited : padTo(limited, size);
}
