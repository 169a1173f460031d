import { type Widths, widthOf } from '../gpu/widths.js';
import type { Launch, Params } from './backend.js';

/** A launch of a kernel that ends in `#import "elements"`, on `length` elements: four at a time where they come in fours. */
export function elementsLaunch(kernels: Widths, length: number, params: Params = {}, constants?: Record<string, number>): Launch {
  const width = widthOf(length);
  return { kernel: kernels[width], constants, params: { ...params, length: length / width }, groups: Math.ceil(length / width / 256) };
}
