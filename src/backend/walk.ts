import { numel, sameShape, type Shape, stridesOf } from '../core/shape.js';
import { type Widths, widthOf, widths } from '../gpu/widths.js';
import type { Launch, Params } from './backend.js';

/** Where an operand lies in its memory, for a box that it is walked over. */
interface Operand {
  readonly strides: readonly number[];
  readonly start?: number;
}

/** How a kernel walks a box that several operands lie in: along as few axes as can be, four at a time if all can be read so. */
export interface Walk {
  readonly width: 1 | 4;
  /** Sizes, the last in runs of `width`. */
  readonly shape: number[];
  /** In runs of `width`, but in single values where the last stride is 0; `mode` is for kernels/lib/place. */
  readonly operands: { strides: number[]; start: number; mode: number }[];
}

export function walkOf(box: Shape, operands: readonly Operand[]): Walk {
  const { shape, strides } = collapse(box, operands);
  const last = shape.length - 1;
  const starts = operands.map(({ start = 0 }) => start);
  const inRuns = (s: readonly number[], i: number) => s[last] === 0 || (s[last] === 1 && [...s.slice(0, last), starts[i]].every((v) => v % 4 === 0));
  const width = strides.every(inRuns) ? widthOf(shape[last] ?? 1) : 1;
  const sizes = shape.map((size, i) => (i === last ? size / width : size));
  return {
    width,
    shape: sizes,
    operands: strides.map((s, i) => {
      const unit = s[last] === 0 ? 1 : width;
      const inUnits = s.map((v, axis) => (axis === last ? v : v / unit));
      return { strides: inUnits, start: starts[i] / unit, mode: modeOf(inUnits, sizes) };
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

function modeOf(strides: readonly number[], shape: Shape): number {
  if (sameShape(strides, stridesOf(shape))) return 0;
  if (strides.every((s) => s === 0)) return 1;
  return (shape.length === 2 ? 2 : 4) + Number(strides.at(-1) === 0);
}

/** A kernel that ends in `#import "elements"` and finds operands by "place": 4 elements a thread, or 1 where a place takes many steps. */
export interface WalkKernels {
  readonly 1: Widths;
  readonly 4: Widths;
}

/** Both of them. The steps are long to compile, four times over. */
export const walkKernels = (file: string, source: string): WalkKernels => ({ 1: widths(file, source, { EACH: 1 }), 4: widths(file, source) });

export function walkLaunch(kernels: WalkKernels, { width, shape, operands }: Walk, params: Params, constants: Record<string, number>): Launch {
  const each = operands.some(({ mode }) => mode >= 4) ? 1 : 4;
  const [length, rank, C] = [numel(shape), shape.length, shape.at(-1) ?? 1];
  return { kernel: kernels[each][width], constants, params: { ...params, length, rank, C, shape }, groups: Math.ceil(length / (64 * each)) };
}
