import type { Traits } from '../gpu/device.js';
import type { Tuning } from '../gpu/preprocess.js';
import { type Widths, widths } from '../gpu/widths.js';

/** Threads of a workgroup whose rows are shared by `LANES` of them: see kernels/lib/lanes. */
const THREADS = 256;

/** What a kernel over rows of graphics cards is tuned to. */
export type Lanes = { readonly LANES: number; readonly EACH: number };

const power2 = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, n)));

/** Threads that share a row of C values, about four values each, and how many a thread has of a row that they hold. */
export function lanesFor(C: number): Lanes {
  const LANES = Math.min(Math.max(power2(C / 4), 4), THREADS);
  return { LANES, EACH: power2(C / LANES) };
}

/** Workgroups of so many rows, or pieces of rows. */
export const laneGroups = (rows: number, LANES: number): number => Math.ceil((rows * LANES) / THREADS);

/** The adapters whose kernels share rows and columns: all but software. */
export const onCards = ({ software }: Traits): boolean => !software;

/** Kernels of one text by what is tuned besides the threads, each made when it is first asked for. */
export function lanesKernels(file: string, source: () => string): (tuning: Tuning) => Widths {
  const made = new Map<string, Widths>();
  return (tuning) => {
    const key = JSON.stringify(tuning);
    const known = made.get(key) ?? widths(file, source(), { ...tuning, THREADS });
    made.set(key, known);
    return known;
  };
}
