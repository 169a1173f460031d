import combineSource from '../../kernels/info_nce_combine_rows.wgsl';
import weightsSource from '../../kernels/info_nce_weights.wgsl';
import type { Launch, Plan } from '../backend/backend.js';
import type { Variant } from '../backend/variants.js';
import type { Traits } from '../gpu/device.js';
import type { InfoNceParams } from '../reference/info_nce.js';
import type { MatmulParams } from '../reference/matmul.js';
import type { InfoNceTools } from './info_nce_variants.js';

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

/** The variant for graphics cards whose N × K scores fit into memory: matrix products, and one pass between them. */
export function infoNceCards(tools: InfoNceTools): readonly Variant<P, 'product'>[] {
  const { canProduct, ceilDiv, kernel, widths, widthOf, productOf } = tools;
  const weights = widths('info_nce_weights', weightsSource);
  const combine = kernel('info_nce_combine_rows', combineSource, { LANES: 128, THREADS: 128 });

  function launch({ N, K, D, temperature }: P, traits: Traits): Plan {
    const scores = product(N, K, D, true);
    const variant = productOf(scores, traits);
    const sums = partsOf(productOf(product(N, D, K, false), traits).launch(product(N, D, K, false), traits));
    const chunk = Number(sums.params.chunk);
    const [S, width] = [ceilDiv(K, chunk), widthOf(K)];
    const own = partsOf(variant.launch(product(N, N, D, true), traits));
    const weighed = { N, K: K / width, S, chunk: chunk / width, inverseT: 1 / temperature };
    return {
      scratch: [N * K, N * N, 4 * S * N, S * N * D],
      launches: [
        { ...partsOf(variant.launch(scores, traits)), bind: [0, 2, 6] },
        { ...own, flops: undefined, bind: [0, 1, 7] }, // of N² scores, the positives' are used
        { kernel: weights[width], params: weighed, groups: N * S, bind: [7, 6, 8] },
        { ...sums, bind: [6, 2, 9] },
        {
          kernel: combine,
          params: { N, D, S, scale: 1 / (temperature * N) },
          groups: N,
          bind: [1, 8, 9, 3, 4, 5],
        },
      ],
    };
  }

  return [
    {
      name: 'product',
      why:
        'graphics cards, scores in memory between two products: the probe of this design took 0.27 ms at N 256, ' +
        'D 128, K 65536 on an H200, the fused kernel 0.96',
      supports: canProduct,
      launch,
    },
  ];
}
