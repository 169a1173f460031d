/**
 * The mirrors: for every kernel, the same computation as plain loops on typed arrays. Arguments are checked before
 * anything is computed.
 */
import { check, isRecord } from '../core/check.js';
import type { TypedArray } from '../core/dtype.js';
import * as mirrors from './index.js';

export type * from './index.js';

const arrays = [Float32Array, Float64Array, Int32Array, Uint32Array, Uint8Array];
const isArray = (v: unknown): boolean => arrays.some((of) => v instanceof of);
const isParam = (v: unknown): boolean =>
  Number.isFinite(v) ||
  typeof v === 'boolean' ||
  typeof v === 'string' ||
  (Array.isArray(v) && v.every(Number.isFinite));

/**
 * A mirror that checks for what it cannot compute on: too few arrays, or parameters that are missing. Sizes are the
 * caller's.
 */
function checked<F extends (buffers: TypedArray[], params: never) => void>(
  where: string,
  f: F,
  buffers: number,
  names = '',
): F {
  const fields = names.split(' ').filter(Boolean);
  return ((given: unknown, params: Record<string, unknown>) => {
    check(where, 'the buffers', given, {
      is: `a list of ${buffers} typed arrays`,
      holds: (v) => Array.isArray(v) && v.length >= buffers && v.every(isArray),
    });
    const complete = (v: unknown) => isRecord(v) && fields.every((name) => isParam(v[name]));
    if (fields.length > 0)
      check(where, 'the parameters', params, { is: `an object of ${fields.join(', ')}`, holds: complete });
    (f as unknown as (buffers: unknown, params: unknown) => void)(given, params);
  }) as unknown as F;
}

const conv = 'N H W C O R S P Q strideH strideW padH padW dilationH dilationW groups';
const pool = 'N H W C R S P Q strideH strideW padH padW';

export const accumulate = checked('accumulate', mirrors.accumulate, 2, 'length add');
export const adamw = checked('adamw', mirrors.adamw, 7, 'length beta1 beta2 eps weightDecay scaled');
export const attention = checked('attention', mirrors.attention, 4, 'batch H D Nq Nk qRow kvRow kStart scale');
export const attentionGrad = checked(
  'attentionGrad',
  mirrors.attentionGrad,
  7,
  'batch H D Nq Nk qRow kvRow kStart scale',
);
export const augment = checked('augment', mirrors.augment, 4, 'M H W N height width mean std');
export const avgPool = checked('avgPool', mirrors.avgPool, 2, `${pool} countPad`);
export const avgPoolGrad = checked('avgPoolGrad', mirrors.avgPoolGrad, 2, `${pool} countPad`);
export const bankWrite = checked('bankWrite', mirrors.bankWrite, 4, 'N M D guarded');
export const batchNormStatsTiles = checked(
  'batchNormStatsTiles',
  mirrors.batchNormStatsTiles,
  7,
  'N L C splits eps momentum tile',
);
export const batchNormStats = checked('batchNormStats', mirrors.batchNormStats, 5, 'N L C splits eps momentum');
export const batchNorm = checked('batchNorm', mirrors.batchNorm, 7, 'N L C splits eps affine add relu');
export const batchNormSumsGrad = checked(
  'batchNormSumsGrad',
  mirrors.batchNormSumsGrad,
  9,
  'N L C splits eps relu writeDz',
);
export const batchNormGrad = checked('batchNormGrad', mirrors.batchNormGrad, 8, 'N L C splits eps affine relu train');
export const binary = checked('binary', mirrors.binary, 3, 'op shape aStrides bStrides');
export const binaryNumber = checked('binaryNumber', mirrors.binaryNumber, 2, 'op c first');
export const cast = checked('cast', mirrors.cast, 2, 'from to length');
export const ceilingCopy = checked('ceilingCopy', mirrors.ceilingCopy, 2);
export const ceilingFma = checked('ceilingFma', mirrors.ceilingFma, 2, 'groups each');
export const conv2d = checked('conv2d', mirrors.conv2d, 3, conv);
export const conv2dStats = checked('conv2dStats', mirrors.conv2dStats, 5, `${conv} tile`);
export const conv2dDx = checked('conv2dDx', mirrors.conv2dDx, 3, conv);
export const conv2dDw = checked('conv2dDw', mirrors.conv2dDw, 3, conv);
export const crossEntropy = checked('crossEntropy', mirrors.crossEntropy, 4, 'rows C');
export const crossEntropyGrad = checked('crossEntropyGrad', mirrors.crossEntropyGrad, 5, 'rows C');
export const ema = checked('ema', mirrors.ema, 3, 'length');
export const fill = checked('fill', mirrors.fill, 1, 'value');
export const gather = checked('gather', mirrors.gather, 3, 'rows width M');
export const gatherGrad = checked('gatherGrad', mirrors.gatherGrad, 3, 'rows width M');
export const infoNce = checked('infoNce', mirrors.infoNce, 6, 'N K D temperature');
export const l2Normalize = checked('l2Normalize', mirrors.l2Normalize, 3, 'rows C eps');
export const l2NormalizeGrad = checked('l2NormalizeGrad', mirrors.l2NormalizeGrad, 4, 'rows C eps');
export const lars = checked('lars', mirrors.lars, 7, 'momentum weightDecay trust scaled');
export const layerNorm = checked('layerNorm', mirrors.layerNorm, 5, 'rows C eps');
export const layerNormGrad = checked('layerNormGrad', mirrors.layerNormGrad, 5, 'rows C');
export const layerNormSumsGrad = checked('layerNormSumsGrad', mirrors.layerNormSumsGrad, 5, 'rows C');
export const lossScale = checked(
  'lossScale',
  mirrors.lossScale,
  4,
  'length statistics interval growth backoff least most',
);
export const matmul = checked('matmul', mirrors.matmul, 3, 'batch M N K aBatch bBatch aRow aCol bRow bCol half');
export const linear = checked('linear', mirrors.linear, 4, 'batch M N K aBatch bBatch aRow aCol bRow bCol half');
export const maxPool = checked('maxPool', mirrors.maxPool, 3, pool);
export const maxPoolGrad = checked('maxPoolGrad', mirrors.maxPoolGrad, 3, pool);
export const pick = checked('pick', mirrors.pick, 3, 'rows C');
export const queueWrite = checked('queueWrite', mirrors.queueWrite, 4, 'N K D guarded');
export const reduce = checked('reduce', mirrors.reduce, 2, 'A R B op scale');
export const reduceMaxGrad = checked('reduceMaxGrad', mirrors.reduceMaxGrad, 3, 'A R B');
export const argmax = checked('argmax', mirrors.argmax, 2, 'A R B');
export const restore = checked('restore', mirrors.restore, 3, 'length');
export const rowDot = checked('rowDot', mirrors.rowDot, 3, 'rows C');
export const sgd = checked('sgd', mirrors.sgd, 5, 'length momentum weightDecay nesterov scaled');
export const softmaxStats = checked('softmaxStats', mirrors.softmaxStats, 2, 'rows C');
export const softmax = checked('softmax', mirrors.softmax, 2, 'rows C log');
export const softmaxGrad = checked('softmaxGrad', mirrors.softmaxGrad, 3, 'rows C log');
export const strided = checked('strided', mirrors.strided, 2, 'shape xStart xStrides yStart yStrides');
export const unary = checked('unary', mirrors.unary, 2, 'op lo hi');
export const unaryGrad = checked('unaryGrad', mirrors.unaryGrad, 3, 'op lo hi');
export const where = checked('where', mirrors.where, 4, 'length');
