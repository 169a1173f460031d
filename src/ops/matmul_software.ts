import broadcastSource from '../../kernels/matmul_broadcast.wgsl';
import type { Variant } from '../backend/variants.js';
import type { MatmulParams } from '../reference/matmul.js';
import type { MatmulTools } from './matmul_parts.js';

/** The variants of products for software adapters. */
export function matmulSoftware({
  kernel,
  tiles,
  hasBroadcast,
}: MatmulTools): readonly Variant<MatmulParams, 'broadcast'>[] {
  const broadcast = new Map(
    [4, 8].map((SUBGROUP) => [
      SUBGROUP,
      kernel('matmul_broadcast', broadcastSource, { SUBGROUP, COLUMNS: 32 / SUBGROUP }),
    ]),
  );
  return [
    {
      name: 'broadcast',
      why: 'software, where a load costs ten products: a subgroup loads once, 5.65 GFLOP/s at 256³ on SwiftShader',
      supports: (_, t) => hasBroadcast(t),
      launch: (p, t) => tiles(broadcast.get(t.subgroup)!, 16, 32, p, t),
    },
  ];
}
