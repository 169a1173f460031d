import { type Widths, widthOf } from '../gpu/widths.js';
import type { Launch, Params } from './backend.js';

/** Workgroups of a kernel that ends in `#import "elements"`. */
export const elementGroups = (length: number): number => Math.ceil(length / 256);

/**
 * A launch of a kernel that ends in `#import "elements"`, on `length` elements: by vec4 where they divide
 * by 4.
 */
export function elementsLaunch(
  kernels: Widths,
  length: number,
  params: Params = {},
  constants?: Record<string, number>,
): Launch {
  const width = widthOf(length);
  return {
    kernel: kernels[width],
    constants,
    params: { ...params, length: length / width },
    groups: elementGroups(length / width),
  };
}
