import { variantOf } from '../backend/variants.js';
import { ceilDiv } from '../core/ceil-div.js';
import type { Traits } from '../gpu/device.js';
import { kernel } from '../gpu/kernel.js';
import { widthOf, widths } from '../gpu/widths.js';
import type { InfoNceParams } from '../reference/info_nce.js';
import type { MatmulParams } from '../reference/matmul.js';
import { matmulVariants } from './matmul_variants.js';

/** Elements of a buffer that WebGPU's default limits let a kernel see. */
const LARGEST = 2 ** 25;

/**
 * Whether the scores, and the sums of at most 256 parts of the queue, fit into memory, and products of q are never
 * split, so that all scores are summed in the same order.
 */
export const canProduct = ({ N, K, D }: InfoNceParams, t: Traits): boolean =>
  !t.software && K > 0 && D < 512 && N * Math.max(N, K, 256 * D) <= LARGEST;

/** What the part that is loaded on demand makes its variant of. */
export const infoNceTools = {
  canProduct,
  ceilDiv,
  kernel,
  widths,
  widthOf,
  productOf: (p: MatmulParams, t: Traits) => variantOf(matmulVariants, p, t),
};
export type InfoNceTools = typeof infoNceTools;
