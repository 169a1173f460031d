import subgroupSource from '../../kernels/matmul_subgroup.wgsl';
import type { Variant } from '../backend/variants.js';
import type { MatmulParams } from '../reference/matmul.js';
import type { MatmulTools } from './matmul_parts.js';

/** The variants of products for software adapters. */
export function matmulSoftware({
  kernel,
  tiles,
  hasSubgroups,
}: MatmulTools): readonly Variant<MatmulParams, 'subgroup'>[] {
  const subgroups = new Map(
    [4, 8].map((SUBGROUP) => [
      SUBGROUP,
      kernel('matmul_subgroup', subgroupSource, { SUBGROUP, COLUMNS: 32 / SUBGROUP }),
    ]),
  );
  return [
    {
      name: 'subgroup',
      why: 'software, where a load costs ten products: a subgroup loads once, 5.65 GFLOP/s at 256³ on SwiftShader',
      supports: (_, t) => hasSubgroups(t),
      launch: (p, t) => tiles(subgroups.get(t.subgroup)!, 16, 32, p, t),
    },
  ];
}
