import dwSmallSource from '../../kernels/conv2d_dw_small_channel.wgsl';
import dwSubgroupSource from '../../kernels/conv2d_dw_subgroup.wgsl';
import dxSmallSource from '../../kernels/conv2d_dx_small_channel.wgsl';
import dxSubgroupSource from '../../kernels/conv2d_dx_subgroup.wgsl';
import smallSource from '../../kernels/conv2d_small_channel.wgsl';
import subgroupSource from '../../kernels/conv2d_subgroup.wgsl';
import type { Launch } from '../backend/backend.js';
import type { Variant } from '../backend/variants.js';
import type { Traits } from '../gpu/device.js';
import type { Kernel } from '../gpu/kernel.js';
import type { Conv2dParams } from '../reference/conv2d.js';
import type { Conv2dTools } from './conv2d_parts.js';

// The variants of a convolution and of its two gradients for software adapters.

type P = Conv2dParams;
type Rows = readonly Variant<P, 'subgroup' | 'small channel'>[];

/**
 * A kernel for each size of subgroups that the subgroup kernels are written for: 16 rows, by 32 channels unless tuned
 * otherwise.
 */
const bySubgroup = (
  { kernel }: Conv2dTools,
  name: string,
  source: string,
  tuning: (subgroup: number) => Record<string, number> = (subgroup) => ({ COLUMNS: 32 / subgroup }),
): Map<number, Kernel> =>
  new Map([4, 8].map((SUBGROUP) => [SUBGROUP, kernel(name, source, { SUBGROUP, ...tuning(SUBGROUP) })]));

export function conv2dSoftware(tools: Conv2dTools): Rows {
  const { fillsSubgroups, ceilDiv, conv2dFlops, hasSubgroups, pixelsOf } = tools;
  const launch = (name: string, source: string) => {
    const of = bySubgroup(tools, name, source);
    return (p: P, { subgroup }: Traits): Launch => ({
      kernel: of.get(subgroup)!,
      params: { ...p },
      groups: ceilDiv(pixelsOf(p), 16) * p.groups * ceilDiv(p.O / p.groups, 32),
      flops: conv2dFlops(p),
    });
  };
  return [
    {
      name: 'subgroup',
      why: 'software with channels to tile: 3.69 GFLOP/s for 32→64 at 16² on SwiftShader, direct 2.30',
      supports: (p, t) => fillsSubgroups(p.C / p.groups, t),
      launch: launch('conv2d_subgroup', subgroupSource),
    },
    {
      name: 'small channel',
      why: 'software, channels few or not dividing: 2.27 GFLOP/s for 3→64 at 32² on SwiftShader, direct 1.26',
      supports: (_, t) => hasSubgroups(t),
      launch: launch('conv2d_small_channel', smallSource),
    },
  ];
}

export function conv2dDxSoftware(tools: Conv2dTools): Rows {
  const { byClass, fillsSubgroups, ceilDiv, classPixels, hasSubgroups } = tools;
  const subgroups = bySubgroup(tools, 'conv2d_dx_subgroup', dxSubgroupSource);
  const small = bySubgroup(tools, 'conv2d_dx_small_channel', dxSmallSource, () => ({}));
  const rows = (p: P) => ceilDiv(classPixels(p), 16) * p.groups;
  return [
    {
      name: 'subgroup',
      why: 'software from 24 channels on: 4.48 GFLOP/s for 32→64 at 16² on SwiftShader, direct 2.35',
      supports: (p, t) => fillsSubgroups(p.O / p.groups, t),
      launch: (p, t) => byClass(subgroups.get(t.subgroup)!, p, rows(p) * ceilDiv(p.C / p.groups, 32)),
    },
    {
      name: 'small channel',
      why: 'software, the gradient of a picture: 3→64 at 32² went from 1.2 to 2.5 times jax-js on SwiftShader',
      supports: (p, t) => hasSubgroups(t) && p.C / p.groups <= 4,
      launch: (p, t) => byClass(small.get(t.subgroup)!, p, rows(p)),
    },
  ];
}

export function conv2dDwSoftware(tools: Conv2dTools): Rows {
  const { ceilDiv, hasSubgroups, inTiles, tilesOf } = tools;
  const tuning = (subgroup: number) => ({ COLUMNS: 32 / subgroup, LOADS: 16 / subgroup });
  const subgroups = bySubgroup(tools, 'conv2d_dw_subgroup', dwSubgroupSource, tuning);
  const small = bySubgroup(tools, 'conv2d_dw_small_channel', dwSmallSource, tuning);
  return [
    {
      name: 'subgroup',
      why: 'software above 32 channels: 4.6 GFLOP/s for 512→512 at 4² on SwiftShader',
      supports: (_, t) => hasSubgroups(t),
      launch: inTiles(
        (t) => subgroups.get(t.subgroup)!,
        (p) => p.groups * ceilDiv(p.O / p.groups, 16) * p.R * p.S * ceilDiv(p.C / p.groups, 32),
      ),
    },
    {
      name: 'small channel',
      why: 'software up to 32 channels: 2.63 GFLOP/s for 3→64 at 32² on SwiftShader, direct 0.80',
      supports: (_, t) => hasSubgroups(t),
      launch: inTiles(
        (t) => small.get(t.subgroup)!,
        (p) => tilesOf(p, 16, 32),
      ),
    },
  ];
}
