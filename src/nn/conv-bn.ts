import { check, checkOptions, instance } from '../core/check.js';
import type { StatisticsRequest } from '../ops/conv2d.js';
import type { Tensor } from '../tensor/tensor.js';
import { BatchNorm, type Epilogue, epilogue } from './batch-norm.js';
import { Conv2d } from './conv2d.js';

/**
 * bn(conv(x)), or relu(bn(conv(x)) + residual), with a fused epilogue: while training, the convolution takes the
 * statistics of its output on its way where its kernel can, so that batch norm reads it once less.
 */
export function convBn(conv: Conv2d, bn: BatchNorm, x: Tensor, options: Epilogue = {}): Tensor {
  check('convBn', 'the convolution', conv, instance(Conv2d, 'Conv2d'));
  check('convBn', 'the batch norm', bn, instance(BatchNorm, 'BatchNorm'));
  checkOptions('convBn', options, epilogue);
  const request: StatisticsRequest | undefined = bn.training ? { splits: bn.splits } : undefined;
  const y = conv.call(x, request);
  return bn.call(y, { ...options, statistics: request?.tiles });
}
