import { type Kernel, kernel } from './kernel.js';
import type { Tuning } from './preprocess.js';

/** A kernel over V = f32, from `#import "single"`, and the same over V = vec4f. */
export interface Widths {
  readonly 1: Kernel;
  readonly 4: Kernel;
}

export const widths = (file: string, source: string, tuning?: Tuning): Widths => ({
  1: kernel(file, source, tuning),
  4: kernel(`${file}_vec4`, source.replace('#import "single"', '#import "vec4"'), tuning),
});

/** The widest that runs of `length` elements divide into. */
export const widthOf = (length: number): 1 | 4 => (length % 4 === 0 ? 4 : 1);
