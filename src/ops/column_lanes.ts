import sumsEndSource from '../../kernels/batch_norm_sums_end_lanes_grad.wgsl';
import type { Launch } from '../backend/backend.js';
import { ceilDiv } from '../core/ceil-div.js';
import type { Traits } from '../gpu/device.js';
import { type Kernel, kernel } from '../gpu/kernel.js';

/** Threads of a workgroup of kernels over columns for graphics cards: see kernels/lib/column_lanes. */
const THREADS = 256;
/** Of them side by side at most: 16 bytes each are runs of 1 KB. */
const MOST_LANES = 64;

/** Columns of floats, or of halves where `half` is 1, in rows of several splits. */
export interface Columns {
  C: number;
  rows: number;
  splits: number;
  half: 0 | 1;
}

/** A kernel for floats, and the same for halves, both by words of 16 bytes (kernels/lib/words16). */
export const words16 = (file: string, source: string): readonly [Kernel, Kernel] => [
  kernel(file, source),
  kernel(file, source, { HALVES: 1, PARTS: 2 }),
];

/** The same of a text that is loaded on demand, made when it is first asked for. */
export function words16Of(file: string, source: () => string): (half: 0 | 1) => Kernel {
  let made: readonly [Kernel, Kernel] | undefined;
  return (half) => (made ??= words16(file, source()))[half];
}

/** Whether the columns divide into words of 16 bytes. */
export const isWords = ({ C, half }: Pick<Columns, 'C' | 'half'>): boolean => C > 0 && C % (half ? 8 : 4) === 0;

/** The params of kernels/lib/column_lanes, and their workgroups. */
interface ColumnLanes {
  params: Record<'C' | 'rows' | 'splits' | 'chunk' | 'chunks' | 'blocks' | 'lanes' | 'tall', number>;
  groups: number;
}

/**
 * Columns by words and rows by chunks, of which a thread takes `each` rows at once: once only, or where there are many,
 * as often as leaves `groups` workgroups; in one chunk where that is 1. At most `wide` threads lie side by side.
 */
export function columnLanes(
  { C, rows, splits, half }: Columns,
  each: number,
  groups?: number,
  wide = MOST_LANES,
): ColumnLanes {
  const words = C / (half ? 8 : 4);
  const blocks = ceilDiv(words, wide);
  const lanes = ceilDiv(words, blocks);
  const tall = Math.floor(THREADS / lanes);
  const turns = groups === undefined ? 1 : Math.max(1, Math.ceil((rows * blocks * splits) / (groups * each * tall)));
  const chunk = each * tall * turns;
  const chunks = ceilDiv(rows, chunk);
  return { params: { C: words, rows, splits, chunk, chunks, blocks, lanes, tall }, groups: blocks * splits * chunks };
}

/** Groups of a pass that reduces columns: 4 to 8 a multiprocessor. */
export const reducing = ({ parallelGroups }: Traits): number => 2 * parallelGroups;

/** Groups of 8 channels each: see kernels/lib/tail_lanes. */
export const ofEight = (C: number): number => ceilDiv(C, 8);

const sumsEnd = kernel('batch_norm_sums_end_lanes_grad', sumsEndSource);

/** The launch that adds chunks [splits, chunks, C] of two sums, to [splits, 2, C] and over splits. */
export const sumsTail = (params: { C: number; splits: number; chunks: number }, bind: readonly number[]): Launch => ({
  kernel: sumsEnd,
  params,
  groups: ofEight(params.C),
  bind,
});
