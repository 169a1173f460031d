import source from '../../kernels/conv2d.wgsl';
import broadcastSource from '../../kernels/conv2d_broadcast.wgsl';
import dwSource from '../../kernels/conv2d_dw.wgsl';
import dwBroadcastSource from '../../kernels/conv2d_dw_broadcast.wgsl';
import dxSource from '../../kernels/conv2d_dx.wgsl';
import dxBroadcastSource from '../../kernels/conv2d_dx_broadcast.wgsl';
import type { Launch, Plan } from '../backend/backend.js';
import { type Ladder, ladder, type Rung, type Sample } from '../backend/ladder.js';
import type { Traits } from '../gpu/device.js';
import { type Kernel, kernel } from '../gpu/kernel.js';
import type { Conv2dParams } from '../reference/conv2d.js';
import type { MatmulParams } from '../reference/matmul.js';
import { matmulGpu } from './matmul_rungs.js';
import { reduceLaunch } from './reduce.js';
import { stridedLaunch } from './strided.js';

type P = Conv2dParams;
const ceilDiv = (a: number, b: number) => Math.ceil(a / b);
const always = () => true;

/** A direct kernel for 1, 2 and 4 COLUMNS. */
const variants = (name: string, text: string) => new Map([1, 2, 4].map((COLUMNS) => [COLUMNS, kernel(name, text, { COLUMNS })]));
const [direct, directDx, directDw] = [variants('conv2d', source), variants('conv2d_dx', dxSource), variants('conv2d_dw', dwSource)];

/** A broadcast kernel for each size of subgroups it is written for: 16 rows by 32 channels. */
const bySubgroup = (name: string, text: string, tuning: (subgroup: number) => Record<string, number>) =>
  new Map([4, 8].map((SUBGROUP) => [SUBGROUP, kernel(name, text, { SUBGROUP, COLUMNS: 32 / SUBGROUP, ...tuning(SUBGROUP) })]));
const broadcast = bySubgroup('conv2d_broadcast', broadcastSource, () => ({}));
const broadcastDx = bySubgroup('conv2d_dx_broadcast', dxBroadcastSource, () => ({}));
const broadcastDw = bySubgroup('conv2d_dw_broadcast', dwBroadcastSource, (subgroup) => ({ LOADS: 16 / subgroup }));
const canBroadcast = (_: P, { subgroup }: Traits) => broadcast.has(subgroup);

/** How the direct kernels deal `channels` to threads: LANES neighbours, each with COLUMNS of them, a row of 8. */
function tiling(of: Map<number, Kernel>, channels: number, software: boolean) {
  const LANES = software ? 4 : 16;
  const COLUMNS = channels > 2 * LANES ? 4 : channels > LANES ? 2 : 1;
  return { kernel: of.get(COLUMNS)!, constants: { LANES }, blocks: ceilDiv(channels, LANES * COLUMNS), LANES };
}

const pixelsOf = (p: P) => p.N * p.P * p.Q;

/** Pixels of the largest class of dx: those with the same remainders modulo the stride. */
const classPixels = (p: P) => p.N * ceilDiv(p.H, p.strideH) * ceilDiv(p.W, p.strideW);

/** Whether a convolution is a matrix product as it stands. */
const isProduct = (p: P) => p.R * p.S * p.strideH * p.strideW * p.groups === 1 && p.padH + p.padW === 0;

/** A matrix product of rank 2: a is [M, K], or [K, M] with `aT`; b is [K, N], or [N, K] with `bT`. */
const product = (M: number, N: number, K: number, { aT = false, bT = false } = {}): MatmulParams =>
  ({ batch: 1, M, N, K, aBatch: 0, bBatch: 0, aRow: aT ? 1 : K, aCol: aT ? M : 1, bRow: bT ? 1 : N, bCol: bT ? K : 1, half: 0 });

/** A launch whose buffers are the operation's by place, as a plan whose launches bind theirs through `places`. */
function rebind(made: Launch | Plan, places: readonly number[]): Launch | Plan {
  const plan: Plan = 'launches' in made ? made : { scratch: [], launches: [made] };
  const bind = (l: Launch) => (l.bind ?? places.map((_, i) => i)).map((i) => places[i] ?? i);
  return { ...plan, launches: plan.launches.map((l) => ({ ...l, bind: bind(l) })) };
}

/** y = x wᵀ, dx = dy w, dw = dyᵀ x. */
const productRungs: Record<'y' | 'dx' | 'dw', Rung<P>> = {
  y: { name: 'product', fits: isProduct, launch: (p, t) => matmulGpu(product(pixelsOf(p), p.O, p.C, { bT: true }), t) },
  dx: { name: 'product', fits: isProduct, launch: (p, t) => matmulGpu(product(pixelsOf(p), p.C, p.O), t) },
  dw: { name: 'product', fits: isProduct, launch: (p, t) => rebind(matmulGpu(product(p.O, p.C, pixelsOf(p), { aT: true }), t), [1, 0, 2]) },
};

function directLaunch(p: P, { software }: Traits): Plan {
  const { blocks, LANES, ...variant } = tiling(direct, p.O / p.groups, software);
  const groups = ceilDiv(ceilDiv(pixelsOf(p), 8) * p.groups * blocks * LANES, 64);
  const RSC = (p.R * p.S * p.C) / p.groups;
  const turned = stridedLaunch({ shape: [RSC, p.O], xStart: 0, xStrides: [1, RSC], yStart: 0, yStrides: [p.O, 1] });
  return { scratch: [RSC * p.O], launches: [{ ...turned, bind: [1, 3] }, { ...variant, params: { ...p }, groups, bind: [0, 3, 2] }] };
}

function directDxLaunch(p: P, { software }: Traits): Launch {
  const { blocks, LANES, ...variant } = tiling(directDx, p.C / p.groups, software);
  const groupsPerClass = ceilDiv(ceilDiv(classPixels(p), 8) * p.groups * blocks * LANES, 64);
  return { ...variant, params: { ...p, groupsPerClass }, groups: groupsPerClass * p.strideH * p.strideW };
}

/** The sum over pixels in slices of whole rows (n, p), where there are too few `tiles` to keep the adapter busy; slices are added in order. */
function sliced(p: P, tiles: number, wanted: number, launch: (params: P & { chunk: number; slices: number }, tiles: number) => Launch): Launch | Plan {
  const rows = p.N * p.P;
  const chunk = Math.max(1, ceilDiv(rows, Math.max(1, ceilDiv(wanted, tiles))));
  const slices = Math.max(1, ceilDiv(rows, chunk));
  const made = launch({ ...p, chunk, slices }, tiles * slices);
  if (slices === 1) return made;
  const weights = (p.O * p.R * p.S * p.C) / p.groups;
  const reduce = reduceLaunch({ op: 'sum', A: 1, R: slices, B: weights, scale: 1 });
  return { scratch: [slices * weights], launches: [{ ...made, bind: [0, 1, 3] }, { ...reduce, bind: [3, 2] }] };
}

function directDwLaunch(p: P, { software, parallelGroups }: Traits): Launch | Plan {
  const { blocks, LANES, ...variant } = tiling(directDw, p.C / p.groups, software);
  const threads = p.groups * ceilDiv(p.O / p.groups, 8) * p.R * p.S * blocks * LANES;
  return sliced(p, threads, parallelGroups * 64, (params, all) => ({ ...variant, params: { ...params }, groups: ceilDiv(all, 64) }));
}

function broadcastLaunch(p: P, { subgroup }: Traits): Launch {
  return { kernel: broadcast.get(subgroup)!, params: { ...p }, groups: ceilDiv(pixelsOf(p), 16) * p.groups * ceilDiv(p.O / p.groups, 32) };
}

function broadcastDxLaunch(p: P, { subgroup }: Traits): Launch {
  const groupsPerClass = ceilDiv(classPixels(p), 16) * p.groups * ceilDiv(p.C / p.groups, 32);
  return { kernel: broadcastDx.get(subgroup)!, params: { ...p, groupsPerClass }, groups: groupsPerClass * p.strideH * p.strideW };
}

function broadcastDwLaunch(p: P, { subgroup, parallelGroups }: Traits): Launch | Plan {
  const tiles = p.groups * ceilDiv(p.O / p.groups, 16) * p.R * p.S * ceilDiv(p.C / p.groups, 32);
  return sliced(p, tiles, parallelGroups, (params, groups) => ({ kernel: broadcastDw.get(subgroup)!, params: { ...params }, groups }));
}

/** Taps, stride, and whether there are channels enough for tiles of them. */
const classOf = (p: P) => `${p.R}×${p.S}/${p.strideH} ${p.C / p.groups < 8 ? 'few' : 'many'}→${p.O / p.groups < 8 ? 'few' : 'many'}`;

/** On software the broadcast kernels win wherever there are channels to tile; products are matmul's. */
const guess = (many: (p: P) => boolean) => (p: P, t: Traits) => (isProduct(p) ? 'product' : t.software && many(p) ? 'broadcast' : 'direct');

function sample(N: number, side: number, C: number, O: number, R: number, stride: number): Sample<P>['params'] {
  const out = ceilDiv(side, stride);
  return { N, H: side, W: side, C, O, R, S: R, P: out, Q: out, strideH: stride, strideW: stride, padH: R >> 1, padW: R >> 1, dilationH: 1, dilationW: 1, groups: 1 };
}

const samples = (...order: ((p: P) => number)[]): Sample<P>[] =>
  [sample(2, 16, 32, 64, 3, 1), sample(2, 16, 32, 64, 3, 2), sample(2, 32, 3, 32, 3, 1)].map((params) => ({ params, buffers: order.map((size) => size(params)) }));
const xSize = (p: P) => p.N * p.H * p.W * p.C;
const wSize = (p: P) => (p.O * p.R * p.S * p.C) / p.groups;
const ySize = (p: P) => pixelsOf(p) * p.O;

export const conv2dLadder: Ladder<P> = {
  name: 'conv2d', classOf, guess: guess((p) => p.O / p.groups >= 8), samples: samples(xSize, wSize, ySize),
  rungs: [{ name: 'direct', fits: always, launch: directLaunch }, { name: 'broadcast', fits: canBroadcast, launch: broadcastLaunch }, productRungs.y],
};
export const conv2dDxLadder: Ladder<P> = {
  name: 'conv2d_dx', classOf, guess: guess((p) => p.C / p.groups >= 8), samples: samples(ySize, wSize, xSize),
  rungs: [{ name: 'direct', fits: always, launch: directDxLaunch }, { name: 'broadcast', fits: canBroadcast, launch: broadcastDxLaunch }, productRungs.dx],
};
export const conv2dDwLadder: Ladder<P> = {
  name: 'conv2d_dw', classOf, guess: guess((p) => Math.min(p.O, p.C) / p.groups >= 8), samples: samples(xSize, ySize, wSize),
  rungs: [{ name: 'direct', fits: always, launch: directDwLaunch }, { name: 'broadcast', fits: canBroadcast, launch: broadcastDwLaunch }, productRungs.dw],
};
export const [conv2dGpu, conv2dDxGpu, conv2dDwGpu] = [ladder(conv2dLadder), ladder(conv2dDxLadder), ladder(conv2dDwLadder)];
