import combineSource from '../../kernels/info_nce_combine_rows.wgsl';
import weightsSource from '../../kernels/info_nce_weights.wgsl';
import type { Launch, Plan } from '../backend/backend.js';
import type { Variant } from '../backend/variants.js';
import type { InfoNceParams } from '../reference/info_nce.js';
import type { MatmulParams } from '../reference/matmul.js';
import type { InfoNceTools } from './info_nce_parts.js';

type P = InfoNceParams;

/** a b, or a bᵀ, [M, K] and [K, N] or [N, K]. */
const product = (M: number, N: number, K: number, transposed: boolean): MatmulParams => ({
  batch: 1,
  M,
  N,
  K,
  aBatch: 0,
  bBatch: 0,
  aRow: K,
  aCol: 1,
  bRow: transposed ? 1 : N,
  bCol: transposed ? K : 1,
  half: 0,
});

/** The product itself, without the launch that adds its parts. */
const partsOf = (made: Launch | Plan): Launch => ('launches' in made ? made.launches[0] : made);

/** How the products and the pass between them run. */
function launches(tools: InfoNceTools): Variant<P>['launch'] {
  const { ceilDiv, kernel, widths, widthOf, productOf } = tools;
  const weights = widths('info_nce_weights', weightsSource);
  const combine = kernel('info_nce_combine_rows', combineSource, { LANES: 128, THREADS: 128 });
  return ({ N, K, D, temperature }, traits) => {
    const [scores, sums] = [product(N, K, D, true), product(N, D, K, false)];
    const variant = productOf(scores, traits);
    const summed = partsOf(productOf(sums, traits).launch(sums, traits));
    const chunk = Number(summed.params.chunk);
    const [S, width] = [ceilDiv(K, chunk), widthOf(K)];
    const own = partsOf(variant.launch(product(N, N, D, true), traits));
    const slices = { N, K: K / width, S, chunk: chunk / width, inverseT: 1 / temperature };
    const ends = { N, D, S, scale: 1 / (temperature * N) };
    return {
      scratch: [N * K, N * N, 4 * S * N, S * N * D],
      launches: [
        { ...partsOf(variant.launch(scores, traits)), bind: [0, 2, 6] },
        { ...own, flops: undefined, bind: [0, 1, 7] }, // of N² scores, the positives' are used
        { kernel: weights[width], params: slices, groups: N * S, bind: [7, 6, 8] },
        { ...summed, bind: [6, 2, 9] },
        { kernel: combine, params: ends, groups: N, bind: [1, 8, 9, 3, 4, 5] },
      ],
    };
  };
}

/** The variant for graphics cards whose N × K scores fit into memory: matrix products, and one pass between them. */
export const infoNceCards = (tools: InfoNceTools): readonly Variant<P, 'product'>[] => [
  {
    name: 'product',
    why:
      'graphics cards, scores in memory between two products: the probe of this design took 0.27 ms at N 256, ' +
      'D 128, K 65536 on an H200, the fused kernel 0.96',
    supports: tools.canProduct,
    launch: launches(tools),
  },
];
