import dwSmallTiledSource from '../../kernels/conv2d_dw_small_channel_tiled.wgsl';
import dwTiledSource from '../../kernels/conv2d_dw_tiled.wgsl';
import dxTiledSource from '../../kernels/conv2d_dx_tiled.wgsl';
import smallTiledSource from '../../kernels/conv2d_small_channel_tiled.wgsl';
import tiledSource from '../../kernels/conv2d_tiled.wgsl';
import type { Launch } from '../backend/backend.js';
import type { Variant } from '../backend/variants.js';
import type { Kernel } from '../gpu/kernel.js';
import type { Conv2dParams } from '../reference/conv2d.js';
import type { Conv2dTools, TiledBlock } from './conv2d_parts.js';
import type { Block } from './matmul_parts.js';

// The variants of a convolution and of its two gradients for graphics cards.

type P = Conv2dParams;
type Name = TiledBlock['name'] | 'small channel tiled';

/**
 * How blocks of y run, of pixels by output channels, by the kernels that `of` makes of their text; `rows` of a tile have
 * their statistics together.
 */
export const yBlocks =
  ({ ceilDiv, conv2dFlops, pixelsOf, storesF16 }: Conv2dTools) =>
  ({ height, width }: Block, rows: number, of: (STATS: 0 | 1) => Kernel): Pick<Variant<P>, 'launch' | 'epilogue'> => {
    const launch = (p: P, STATS: 0 | 1): Launch => ({
      kernel: of(STATS),
      params: { ...p },
      groups: ceilDiv(pixelsOf(p), height) * p.groups * ceilDiv(p.O / p.groups, width),
      flops: conv2dFlops(p),
    });
    return {
      launch: (p) => launch(p, 0),
      epilogue: {
        statistics: (p, t) => ({ rows, launch: { ...launch(p, 1), constants: { HALF: Number(storesF16(p, t)) } } }),
      },
    };
  };

/** How blocks of dx run, of pixels of a class by channels. */
export const dxBlocks =
  ({ byClass, ceilDiv, classPixels }: Conv2dTools) =>
  ({ height, width }: Block, of: () => Kernel): Variant<P>['launch'] =>
  (p) =>
    byClass(of(), p, ceilDiv(classPixels(p), height) * p.groups * ceilDiv(p.C / p.groups, width));

/** How a kernel is tuned to a block. */
const sizes = ({ height, width, deep, down, right }: TiledBlock) => ({
  HEIGHT: height,
  WIDTH: width,
  DEEP: deep,
  DOWN: down,
  RIGHT: right,
});

/** The smallest block, of kernels for few channels. */
const small = (tools: Conv2dTools): TiledBlock => tools.tiledBlocks.find(({ name }) => name === 'tiled 64×64')!;

export function conv2dCards(tools: Conv2dTools): readonly Variant<P, Name>[] {
  const { canTile, canTileSmall, tiledBlocks, tunedKernels } = tools;
  const [tiled, few] = [
    tunedKernels('conv2d_tiled', tiledSource),
    tunedKernels('conv2d_small_channel_tiled', smallTiledSource),
  ];
  const blocks = (b: TiledBlock, of: typeof tiled) =>
    yBlocks(tools)(b, b.height, (STATS) => of({ ...sizes(b), STATS, ...(STATS && { ROWS: 4 * b.down }) }));
  return [
    ...tiledBlocks.map((b) => ({ name: b.name, why: why.y[b.name], supports: canTile, ...blocks(b, tiled) })),
    {
      name: 'small channel tiled',
      why: 'graphics cards, channels that do not divide by 4: with its dW 9 of 401 ms of a ResNet-50 step on an H200',
      supports: canTileSmall,
      ...blocks(small(tools), few),
    },
  ];
}

export function conv2dDxCards(tools: Conv2dTools): readonly Variant<P, TiledBlock['name']>[] {
  const { canTile, tiledBlocks, tunedKernels } = tools;
  const tiled = tunedKernels('conv2d_dx_tiled', dxTiledSource);
  return tiledBlocks.map((b) => ({
    name: b.name,
    why: why.dx[b.name],
    supports: canTile,
    launch: dxBlocks(tools)(b, () => tiled(sizes(b))),
  }));
}

export function conv2dDwCards(tools: Conv2dTools): readonly Variant<P, Name>[] {
  const { canTile, canTileSmall, inTiles, tiledBlocks, tilesOf, tunedKernels } = tools;
  const [tiled, few] = [
    tunedKernels('conv2d_dw_tiled', dwTiledSource),
    tunedKernels('conv2d_dw_small_channel_tiled', dwSmallTiledSource),
  ];
  const launch = (b: TiledBlock, of: typeof tiled) =>
    inTiles(
      () => of(sizes(b)),
      (p) => tilesOf(p, b.height, b.width),
    );
  return [
    ...tiledBlocks.map((b) => ({ name: b.name, why: why.dw[b.name], supports: canTile, launch: launch(b, tiled) })),
    {
      name: 'small channel tiled',
      why: 'graphics cards, channels that do not divide by 4: with y 9 of 401 ms of a ResNet-50 step on an H200',
      supports: canTileSmall,
      launch: launch(small(tools), few),
    },
  ];
}
