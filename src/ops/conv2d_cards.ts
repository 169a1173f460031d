import dwSmallTiledSource from '../../kernels/conv2d_dw_small_channel_tiled.wgsl';
import dwTiledSource from '../../kernels/conv2d_dw_tiled.wgsl';
import dxTiledSource from '../../kernels/conv2d_dx_tiled.wgsl';
import smallTiledSource from '../../kernels/conv2d_small_channel_tiled.wgsl';
import tiledSource from '../../kernels/conv2d_tiled.wgsl';
import type { Launch, Plan } from '../backend/backend.js';
import type { Variant } from '../backend/variants.js';
import type { Traits } from '../gpu/device.js';
import type { Kernel } from '../gpu/kernel.js';
import type { Conv2dParams } from '../reference/conv2d.js';
import type { Conv2dTools } from './conv2d_parts.js';
import type { Block, TiledBlock } from './matmul_parts.js';

// The variants of a convolution and of its two gradients for graphics cards.

type P = Conv2dParams;
type Size = Pick<Block, 'height' | 'width'>;

/**
 * How blocks of y run, of pixels by output channels, by the kernels that `of` makes; `rows` of a tile have their
 * statistics together.
 */
export const yBlocks =
  ({ ceilDiv, conv2dFlops, pixelsOf, storesF16 }: Conv2dTools) =>
  (
    { height, width }: Size,
    rows: number,
    of: (p: P, STATS: 0 | 1) => Kernel,
  ): Pick<Variant<P>, 'launch' | 'epilogue'> => {
    const launch = (p: P, STATS: 0 | 1): Launch => ({
      kernel: of(p, STATS),
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
  ({ height, width }: Size, of: (p: P) => Kernel): Variant<P>['launch'] =>
  (p) =>
    byClass(of(p), p, ceilDiv(classPixels(p), height) * p.groups * ceilDiv(p.C / p.groups, width));

/** How blocks of dw run, `tiles` of them: their sum is cut where less than two groups a multiprocessor would run. */
export const dwBlocks =
  ({ conv2dFlops, sliced }: Conv2dTools) =>
  (tiles: (p: P) => number, of: () => Kernel) =>
  (p: P, t: Traits): Launch | Plan =>
    sliced(p, tiles(p), t.parallelGroups / 2, (params, groups) => ({
      kernel: of(),
      params: { ...params },
      groups,
      flops: conv2dFlops(p),
    }));

/** How a kernel is tuned to a block. */
function sizes({ height, width, deep, down, right }: TiledBlock) {
  const threads = (height * width) / (16 * down * right);
  const LOADS = Math.ceil(((height + width) * deep) / 16 / threads);
  return { HEIGHT: height, WIDTH: width, DEEP: deep, DOWN: down, RIGHT: right, LOADS };
}
const tail = (channels: number, { deep }: TiledBlock) => ({ TAIL: Number(channels % deep > 0) });

/** The block of kernels for few channels. */
const small = (tools: Conv2dTools): TiledBlock => tools.tiledBlocks.find(({ name }) => name === 'tiled 64×64')!;

const probed = 'on an H200, the probe of this design; the kernel before it';
const why = {
  y: `graphics cards: 35 to 38 TFLOP/s for ResNets’ 3×3 ${probed} 22 to 29; this size not measured by itself`,
  dx: `graphics cards: 27 to 40 TFLOP/s for ResNets’ 3×3 ${probed} 22 to 25; this size not measured by itself`,
  dw: `graphics cards: 27 to 35 TFLOP/s for ResNets’ 3×3 ${probed} 19 to 28; this size not measured by itself`,
};

export function conv2dCards(tools: Conv2dTools): readonly Variant<P, TiledBlock['name'] | 'small channel tiled'>[] {
  const { canTile, canTileSmall, tiledBlocks, tunedKernels } = tools;
  const tiled = tunedKernels('conv2d_tiled', tiledSource);
  const few = tunedKernels('conv2d_small_channel_tiled', smallTiledSource);
  const ofBlock = (b: TiledBlock, STATS: 0 | 1) => ({ ...sizes(b), B_T: 1, STATS, ROWS: 4 * b.down });
  const b = small(tools);
  return [
    ...tiledBlocks.map((b) => ({
      name: b.name,
      why: why.y,
      supports: canTile,
      ...yBlocks(tools)(b, b.height, (p, STATS) => tiled({ ...ofBlock(b, STATS), ...tail(p.C / p.groups, b) })),
    })),
    {
      name: 'small channel tiled',
      why: 'graphics cards, channels that do not divide by 4: 22.6 TFLOP/s for 7×7/2 of 3 on an H200, before blocks',
      supports: canTileSmall,
      ...yBlocks(tools)(b, b.height, (_, STATS) => few(ofBlock(b, STATS))),
    },
  ];
}

export function conv2dDxCards(tools: Conv2dTools): readonly Variant<P, TiledBlock['name']>[] {
  const { canTile, tiledBlocks, tunedKernels } = tools;
  const tiled = tunedKernels('conv2d_dx_tiled', dxTiledSource);
  return tiledBlocks.map((b) => ({
    name: b.name,
    why: why.dx,
    supports: canTile,
    launch: dxBlocks(tools)(b, (p) => tiled({ ...sizes(b), ...tail(p.O / p.groups, b) })),
  }));
}

export function conv2dDwCards(tools: Conv2dTools): readonly Variant<P, TiledBlock['name'] | 'small channel tiled'>[] {
  const { canTile, canTileSmall, tiledBlocks, tilesOf, tunedKernels } = tools;
  const tiled = tunedKernels('conv2d_dw_tiled', dwTiledSource);
  const few = tunedKernels('conv2d_dw_small_channel_tiled', dwSmallTiledSource);
  const launch = (b: TiledBlock, of: typeof tiled) =>
    dwBlocks(tools)(
      (p) => tilesOf(p, b.height, b.width),
      () => of({ ...sizes(b), A_T: 1 }),
    );
  return [
    ...tiledBlocks.map((b) => ({ name: b.name, why: why.dw, supports: canTile, launch: launch(b, tiled) })),
    {
      name: 'small channel tiled',
      why: 'graphics cards, channels that do not divide by 4: 16 TFLOP/s for 7×7/2 of 3 on an H200, before blocks',
      supports: canTileSmall,
      launch: launch(small(tools), few),
    },
  ];
}
