import tiledSource from '../../kernels/matmul_tiled.wgsl';
import tiledF16Source from '../../kernels/matmul_tiled_f16.wgsl';
import wideSource from '../../kernels/matmul_wide.wgsl';
import type { Variant } from '../backend/variants.js';
import type { MatmulParams } from '../reference/matmul.js';
import type { MatmulTools } from './matmul_parts.js';

/** The variants of products for graphics cards. */
export function matmulCards(
  tools: MatmulTools,
): readonly Variant<MatmulParams, 'tiled 32' | 'tiled 64' | 'wide' | 'tiled f16'>[] {
  const { kernel, pair, tiled, statistics, canWide, storesF16 } = tools;
  const tiled64 = pair('matmul_tiled', tiledSource);
  const tiled32 = pair('matmul_tiled', tiledSource, { TILE: 32, LOADS: 8 });
  const tiledF16 = pair('matmul_tiled_f16', tiledF16Source);
  const wide = pair('matmul_wide', wideSource);
  const wideStats = kernel('matmul_wide', wideSource, { STATS: 1 });
  const wideTiles = tiled(128, 128, () => wide);
  return [
    {
      name: 'tiled 32',
      why: 'graphics cards where larger tiles would be too few: 4.1 to 5.7 TFLOP/s at 512³ on an H200',
      supports: () => true,
      ...tiled(32, 32, () => tiled32),
    },
    {
      name: 'tiled 64',
      why: 'graphics cards, in general: 13 to 19 TFLOP/s at 1024³ on an H200',
      supports: () => true,
      ...tiled(64, 64, () => tiled64),
    },
    {
      name: 'wide',
      why: 'graphics cards with work for tiles of 128: 33 TFLOP/s at 4096³ in f32 on an H200',
      supports: canWide,
      ...wideTiles,
      epilogue: { ...wideTiles.epilogue, statistics: (p, t) => statistics(wideStats, 128, p, t) },
    },
    {
      name: 'tiled f16',
      why: 'f16 without matrices: half the bytes of tiled 64; not measured',
      supports: storesF16,
      ...tiled(64, 64, () => tiledF16),
    },
  ];
}
