import { FormatError } from './errors.js';
import { binary } from './numbers.js';

const FLOOR = 2 ** 24; // bytes that any packed file may unpack to
const TIMES = 64; // weights shrink to a half at best, MNIST's pictures to a fifth; deflate itself ends at 1032
const LARGEST = 2 ** 31; // bytes in all

/**
 * Bytes that `packed` bytes of zip or gzip may unpack to: sixteen MiB and 64 times as many, 2 GiB in all. Real files
 * stay far below; what unpacks to more is made to fill memory.
 */
export const mostUnpacked = (packed: number): number => Math.min(LARGEST, FLOOR + TIMES * packed);

/** @throws FormatError always, for packed data that unpack to more than that. */
export function refuseUnpacked(name: string, packed: number): never {
  throw new FormatError(
    `${name}: ${binary(packed)} of packed data must unpack to at most ${binary(mostUnpacked(packed))}; got more. ` +
      'If you trust the file, unpack it first.',
  );
}
