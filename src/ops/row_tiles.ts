import { ceilDiv } from '../core/ceil-div.js';
import type { Traits } from '../gpu/device.js';
import { type Kernel, kernel } from '../gpu/kernel.js';
import type { Tuning } from '../gpu/preprocess.js';

/** A kernel for every tuning that is met. */
export function byTuning(name: string, text: string): (tuning: Tuning) => Kernel {
  const made = new Map<string, Kernel>();
  return (tuning) => {
    const key = JSON.stringify(tuning);
    return made.get(key) ?? made.set(key, kernel(name, text, tuning)).get(key)!;
  };
}

/** Rows that a workgroup keeps, by columns of a tile: the largest that fits into workgroup memory is taken. */
const tiles = [
  [64, 32],
  [48, 32],
  [32, 32],
  [32, 16],
  [16, 16],
] as const;

/**
 * What kernels/lib/row_tiles is tuned to for rows of D elements, given the bytes of workgroup memory that tiles take;
 * undefined where it does not serve.
 */
export function rowTiles(
  D: number,
  { software, workgroupMemory }: Traits,
  bytes: (rows: number, columns: number) => number,
) {
  const tile =
    software || D % 4 !== 0 ? undefined : tiles.find(([rows, columns]) => bytes(rows, columns) <= workgroupMemory);
  return tile && { D, ROWS: tile[0], COLUMNS: tile[1], EACH: tile[1] / 8, WIDE: ceilDiv(D, 32) };
}
