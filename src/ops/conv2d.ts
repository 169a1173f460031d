import source from '../../kernels/conv2d.wgsl';
import dwSource from '../../kernels/conv2d_dw.wgsl';
import dxSource from '../../kernels/conv2d_dx.wgsl';
import { record } from '../autograd.js';
import type { Primitive } from '../backend/backend.js';
import { ShapeError } from '../core/errors.js';
import { show } from '../core/shape.js';
import { kernel } from '../gpu/kernel.js';
import { type Conv2dParams, conv2d as mirror, conv2dDw as dwMirror, conv2dDx as dxMirror } from '../reference/conv2d.js';
import { checkDType, empty, run, type Tensor } from '../tensor.js';
import { reduceLaunch } from './reduce.js';
import { stridedLaunch } from './strided.js';

/** A kernel for 1, 2 and 4 COLUMNS. */
const variants = (name: string, text: string) => new Map([1, 2, 4].map((COLUMNS) => [COLUMNS, kernel(name, text, { COLUMNS })]));
const shader = variants('conv2d', source);
const dxShader = variants('conv2d_dx', dxSource);
const dwShader = variants('conv2d_dw', dwSource);

/** Pixels (or, in dw, output channels) that a thread keeps in registers. */
const ROWS = 8;

/** How `channels` are dealt to threads: LANES neighbours, each with COLUMNS of them. */
function tiling(of: typeof shader, channels: number, software: boolean) {
  const LANES = software ? 4 : 16;
  const COLUMNS = channels > 2 * LANES ? 4 : channels > LANES ? 2 : 1;
  return { kernel: of.get(COLUMNS)!, constants: { LANES }, blocks: Math.ceil(channels / (LANES * COLUMNS)), LANES };
}

export const conv2dPrimitive: Primitive<Conv2dParams> = {
  name: 'conv2d',
  mirror,
  gpu: (p, { software }) => {
    const { blocks, LANES, ...variant } = tiling(shader, p.O / p.groups, software);
    const groups = Math.ceil((Math.ceil((p.N * p.P * p.Q) / ROWS) * p.groups * blocks * LANES) / 64);
    const RSC = (p.R * p.S * p.C) / p.groups;
    const turned = stridedLaunch({ shape: [RSC, p.O], xStart: 0, xStrides: [1, RSC], yStart: 0, yStrides: [p.O, 1] });
    const launch = { ...variant, params: { ...p }, groups, bind: [0, 3, 2] };
    return { scratch: [RSC * p.O], launches: [{ ...turned, bind: [1, 3] }, launch] };
  },
};

export const conv2dDxPrimitive: Primitive<Conv2dParams> = {
  name: 'conv2d_dx',
  mirror: dxMirror,
  gpu: (p, { software }) => {
    const { blocks, LANES, ...variant } = tiling(dxShader, p.C / p.groups, software);
    const pixels = p.N * Math.ceil(p.H / p.strideH) * Math.ceil(p.W / p.strideW); // the largest class
    const groupsPerClass = Math.ceil((Math.ceil(pixels / ROWS) * p.groups * blocks * LANES) / 64);
    return { ...variant, params: { ...p, groupsPerClass }, groups: groupsPerClass * p.strideH * p.strideW };
  },
};

export const conv2dDwPrimitive: Primitive<Conv2dParams> = {
  name: 'conv2d_dw',
  mirror: dwMirror,
  gpu: (p, { software, parallelGroups }) => {
    const { blocks, LANES, ...variant } = tiling(dwShader, p.C / p.groups, software);
    const threads = p.groups * Math.ceil(p.O / p.groups / ROWS) * p.R * p.S * blocks * LANES;
    const wanted = Math.max(1, Math.ceil((parallelGroups * 64) / threads));
    const chunk = Math.max(1, Math.ceil((p.N * p.P) / wanted));
    const slices = Math.max(1, Math.ceil((p.N * p.P) / chunk));
    const launch = { ...variant, params: { ...p, chunk, slices }, groups: Math.ceil((slices * threads) / 64) };
    if (slices === 1) return launch;
    const weights = (p.O * p.R * p.S * p.C) / p.groups;
    const reduce = reduceLaunch({ op: 'sum', A: 1, R: slices, B: weights, scale: 1 });
    return { scratch: [slices * weights], launches: [{ ...launch, bind: [0, 1, 3] }, { ...reduce, bind: [3, 2] }] };
  },
};

type Pair = number | readonly [number, number];
const pair = (v: Pair): readonly [number, number] => (typeof v === 'number' ? [v, v] : v);

export interface Conv2dOptions {
  /** Rows and columns from one output pixel to the next. Default 1. */
  stride?: Pair;
  /** Zeros around the picture. Default 0. */
  padding?: Pair;
  /** Distance between the taps of the filter. Default 1. */
  dilation?: Pair;
  /** Blocks that channels are divided into, each convolved by itself. Default 1. */
  groups?: number;
}

/** The sizes of a convolution, or a ShapeError that names what does not fit. */
export function conv2dParams(x: Tensor, w: Tensor, options: Conv2dOptions): Conv2dParams {
  const [strideH, strideW] = pair(options.stride ?? 1);
  const [padH, padW] = pair(options.padding ?? 0);
  const [dilationH, dilationW] = pair(options.dilation ?? 1);
  const groups = options.groups ?? 1;
  const got = `got x ${show(x.shape)} and w ${show(w.shape)}`;
  if (x.rank !== 4 || w.rank !== 4) throw new ShapeError(`conv2d: x is [N, H, W, C] and w [O, R, S, C / groups]; ${got}. Reshape them.`);
  const [N, H, W, C] = x.shape;
  const [O, R, S, Cg] = w.shape;
  if (C !== Cg * groups || O % groups !== 0)
    throw new ShapeError(`conv2d: x has ${groups} times the channels of w, and O divides by the groups; ${got}, groups ${groups}. Correct the weights.`);
  if (Math.min(strideH, strideW, dilationH, dilationW, groups) < 1 || Math.min(padH, padW) < 0)
    throw new ShapeError(`conv2d: stride, dilation and groups are at least 1, padding at least 0; got ${JSON.stringify(options)}. Correct the options.`);
  const P = Math.floor((H + 2 * padH - dilationH * (R - 1) - 1) / strideH) + 1;
  const Q = Math.floor((W + 2 * padW - dilationW * (S - 1) - 1) / strideW) + 1;
  if (P < 1 || Q < 1) throw new ShapeError(`conv2d: the filter must fit into the padded picture; ${got}, padding ${padH} and ${padW}. Pad more or use a smaller filter.`);
  return { N, H, W, C, O, R, S, P, Q, strideH, strideW, padH, padW, dilationH, dilationW, groups };
}

/**
 * Convolution (cross-correlation, as in every deep-learning library).
 *
 * @param x [N, H, W, C]
 * @param w [O, R, S, C / groups]
 * @returns [N, P, Q, O], P = ⌊(H + 2 padding - dilation (R - 1) - 1) / stride⌋ + 1
 */
export function conv2d(x: Tensor, w: Tensor, options: Conv2dOptions = {}): Tensor {
  checkDType('conv2d', x, 'f32');
  checkDType('conv2d', w, 'f32');
  const p = conv2dParams(x, w, options);
  const y = empty([p.N, p.P, p.Q, p.O], 'f32', x.backend);
  run(conv2dPrimitive, [x, w], [y], p);
  // dx[h] = Σ dy[p] w[r] over p·stride = h + pad - r·dilation; dw[r] = Σ dy[p] x[p·stride - pad + r·dilation]
  return record('conv2d', y, [x, w], (dy) => [
    () => {
      const dx = empty(x.shape, 'f32', x.backend);
      run(conv2dDxPrimitive, [dy, w], [dx], p);
      return dx;
    },
    (into) => {
      const dw = into ?? empty(w.shape, 'f32', x.backend);
      run(conv2dDwPrimitive, [x, dy], [dw], p);
      return dw;
    },
  ]);
}
