import dwSmallTiledSource from '../../kernels/conv2d_dw_small_channel_tiled.wgsl';
import dwTiledSource from '../../kernels/conv2d_dw_tiled.wgsl';
import dxTiledSource from '../../kernels/conv2d_dx_tiled.wgsl';
import smallTiledSource from '../../kernels/conv2d_small_channel_tiled.wgsl';
import tiledSource from '../../kernels/conv2d_tiled.wgsl';
import type { Launch } from '../backend/backend.js';
import type { Variant } from '../backend/variants.js';
import type { Kernel } from '../gpu/kernel.js';
import type { Conv2dParams } from '../reference/conv2d.js';
import type { Conv2dTools } from './conv2d_parts.js';

// The variants of a convolution and of its two gradients for graphics cards.

type P = Conv2dParams;
type Tiled = 'tiled 64' | 'tiled 128';

/** How a kernel in tiles of `side` runs: for y, for dx and for dw. */
export const yTiles = ({ ceilDiv, conv2dFlops, pixelsOf, storesF16 }: Conv2dTools) => {
  const launch = (k: Kernel, side: number, p: P): Launch => ({
    kernel: k,
    params: { ...p },
    groups: ceilDiv(pixelsOf(p), side) * p.groups * ceilDiv(p.O / p.groups, side),
    flops: conv2dFlops(p),
  });
  const statistics =
    (k: Kernel, side: number, rows = side): NonNullable<Variant<P>['epilogue']>['statistics'] =>
    (p, t) => ({ rows, launch: { ...launch(k, side, p), constants: { HALF: Number(storesF16(p, t)) } } });
  return { launch, statistics };
};

export const dxTiles =
  ({ byClass, ceilDiv, classPixels }: Conv2dTools) =>
  (k: Kernel, side: number, p: P): Launch =>
    byClass(k, p, ceilDiv(classPixels(p), side) * p.groups * ceilDiv(p.C / p.groups, side));

export const dwTiles =
  ({ inTiles, tilesOf }: Conv2dTools) =>
  (k: Kernel, side: number): Variant<P>['launch'] =>
    inTiles(
      () => k,
      (p) => tilesOf(p, side, side),
    );

export function conv2dCards(tools: Conv2dTools): readonly Variant<P, Tiled | 'small channel tiled'>[] {
  const { canTile, canTileSmall, kernel } = tools;
  const { launch, statistics } = yTiles(tools);
  const tiled = (side: number): Pick<Variant<P>, 'supports' | 'launch' | 'epilogue'> => {
    const [plain, stats] = [0, 1].map((STATS) =>
      kernel('conv2d_tiled', tiledSource, { SIDE: side / 8, ...(STATS && { STATS }) }),
    );
    return {
      supports: canTile,
      launch: (p) => launch(plain, side, p),
      epilogue: { statistics: statistics(stats, side) },
    };
  };
  const smallTiled = kernel('conv2d_small_channel_tiled', smallTiledSource);
  const smallTiledStats = kernel('conv2d_small_channel_tiled', smallTiledSource, { STATS: 1 });
  return [
    {
      name: 'tiled 64',
      why: 'graphics cards, 8 × 8 a thread by vec4: 20 to 28 TFLOP/s for shapes of ResNet-50 on an H200',
      ...tiled(64),
    },
    {
      name: 'tiled 128',
      why: 'tiled 64 where tiles of 128 still fill the card: half the loads; measured only together with it',
      ...tiled(128),
    },
    {
      name: 'small channel tiled',
      why: 'graphics cards, channels that do not divide by 4: with its dW 9 of 401 ms of a ResNet-50 step on an H200',
      supports: canTileSmall,
      launch: (p) => launch(smallTiled, 64, p),
      epilogue: { statistics: statistics(smallTiledStats, 64) },
    },
  ];
}

export function conv2dDxCards(tools: Conv2dTools): readonly Variant<P, Tiled>[] {
  const { canTile, kernel } = tools;
  const launch = dxTiles(tools);
  const tiled = (side: number): Pick<Variant<P>, 'supports' | 'launch'> => {
    const k = kernel('conv2d_dx_tiled', dxTiledSource, { SIDE: side / 8 });
    return { supports: canTile, launch: (p) => launch(k, side, p) };
  };
  return [
    {
      name: 'tiled 64',
      why: 'graphics cards, 8 × 8 a thread by vec4: 23 to 24 TFLOP/s in a ResNet-50 step on an H200',
      ...tiled(64),
    },
    {
      name: 'tiled 128',
      why: 'tiled 64 where tiles of 128 still fill the card: half the loads; measured only together with it',
      ...tiled(128),
    },
  ];
}

export function conv2dDwCards(tools: Conv2dTools): readonly Variant<P, Tiled | 'small channel tiled'>[] {
  const { canTile, canTileSmall, kernel } = tools;
  const launch = dwTiles(tools);
  const tiled = (side: number): Pick<Variant<P>, 'supports' | 'launch'> => ({
    supports: canTile,
    launch: launch(kernel('conv2d_dw_tiled', dwTiledSource, { SIDE: side / 8 }), side),
  });
  return [
    {
      name: 'tiled 64',
      why: 'graphics cards, 8 × 8 a thread by vec4: 21 to 27 TFLOP/s in a ResNet-50 step on an H200',
      ...tiled(64),
    },
    {
      name: 'tiled 128',
      why: 'tiled 64 where filters have enough tiles of 128: half the loads; measured only together with it',
      ...tiled(128),
    },
    {
      name: 'small channel tiled',
      why: 'graphics cards, channels that do not divide by 4: with y 9 of 401 ms of a ResNet-50 step on an H200',
      supports: canTileSmall,
      launch: launch(kernel('conv2d_dw_small_channel_tiled', dwSmallTiledSource), 64),
    },
  ];
}
