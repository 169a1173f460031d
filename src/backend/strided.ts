import { numel, type Shape } from '../core/shape.js';
import type { Traits } from '../gpu/device.js';
import { type Widths, widthOf } from '../gpu/widths.js';
import type { Launch } from './backend.js';

/** Where an operand lies in its memory, for a box of places. */
interface Operand {
  readonly strides: readonly number[];
  readonly start?: number;
}

/**
 * A box that several operands lie in, as a kernel takes it: along as few axes as can be, by vec4 if all can be read so.
 */
export interface StridedBox {
  readonly width: 1 | 4;
  /** Sizes, the last in runs of `width`. */
  readonly shape: number[];
  /** In runs of `width`, but in single values where there is `one` for the whole of the last axis. */
  readonly operands: { strides: number[]; start: number; one: boolean }[];
}

export function stridedBox(box: Shape, operands: readonly Operand[]): StridedBox {
  const { shape, strides } = collapse(box, operands);
  const last = shape.length - 1;
  const starts = operands.map(({ start = 0 }) => start);
  const inRuns = (s: readonly number[], i: number) =>
    s[last] === 0 || (s[last] === 1 && [...s.slice(0, last), starts[i]].every((v) => v % 4 === 0));
  const width = strides.every(inRuns) ? widthOf(shape[last] ?? 1) : 1;
  const sizes = shape.map((size, i) => (i === last ? size / width : size));
  return {
    width,
    shape: sizes,
    operands: strides.map((s, i) => {
      const one = s[last] === 0;
      const unit = one ? 1 : width;
      return { strides: s.map((v, axis) => (axis === last ? v : v / unit)), start: starts[i] / unit, one };
    }),
  };
}

/** Axes of size 1 go, and neighbours along which every operand steps evenly become one. */
function collapse(box: Shape, operands: readonly Operand[]): { shape: number[]; strides: number[][] } {
  const shape: number[] = [];
  const strides = operands.map((): number[] => []);
  box.forEach((size, axis) => {
    if (size === 1) return;
    const last = shape.length - 1;
    const even = last >= 0 && operands.every((o, i) => strides[i][last] === size * o.strides[axis]);
    if (even) shape[last] *= size;
    else shape.push(size);
    strides.forEach((s, i) => (s[even ? last : last + 1] = operands[i].strides[axis]));
  });
  return { shape, strides };
}

/** A launch of a kernel that ends in `#import "strided"`, over the place of two operands. */
export function boxLaunch(
  kernels: Widths,
  { width, shape, operands: [a, b] }: StridedBox,
  constants: Record<string, number>,
  { software }: Traits,
): Launch {
  const [C, outer] = [shape.at(-1) ?? 1, shape.slice(0, -1)];
  const rows = numel(outer);
  // neighbours on neighbouring memory
  const lanes = software ? 1 : 2 ** Math.ceil(Math.log2(Math.max(1, Math.min(C, 64))));
  const each = software ? 64 : 4;
  const pieces = Math.ceil(C / (lanes * each));
  const params = {
    rows,
    C,
    lanes,
    each,
    pieces,
    rank: outer.length,
    shape: outer,
    start0: a.start,
    start1: b.start,
    step0: a.strides.at(-1) ?? 0,
    step1: b.strides.at(-1) ?? 0,
    strides0: a.strides.slice(0, -1),
    strides1: b.strides.slice(0, -1),
  };
  return { kernel: kernels[width], constants, params, groups: Math.ceil((rows * pieces * lanes) / 64) };
}
