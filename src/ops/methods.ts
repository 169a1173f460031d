/** Every operation whose first operand is a tensor, as a method of tensors: `add(a, b)` is `a.add(b)`. */
import { backward } from '../tensor/autograd.js';
import { Tensor } from '../tensor/tensor.js';
import { at, mask } from './at.js';
import { attention, attentionQkv } from './attention.js';
import { avgPool, globalAvgPool } from './avg_pool.js';
import { batchNorm } from './batch_norm.js';
import { add, div, greater, maximum, mul, sub } from './binary.js';
import { cast } from './cast.js';
import { conv2d } from './conv2d.js';
import { crossEntropy } from './cross_entropy.js';
import { gather } from './gather.js';
import { infoNce } from './info_nce.js';
import { l2Normalize } from './l2_normalize.js';
import { layerNorm } from './layer_norm.js';
import { linear } from './linear.js';
import { matmul } from './matmul.js';
import { maxPool } from './max_pool.js';
import { mse } from './mse.js';
import { pick } from './pick.js';
import { argmax, max, mean, sum, variance } from './reduce.js';
import { reshape } from './reshape.js';
import { rowDot } from './row_dot.js';
import { logSoftmax, softmax } from './softmax.js';
import { expand, slice, transpose } from './strided.js';
import { clamp, exp, gelu, log, neg, relu, sigmoid, sqrt, tanh } from './unary.js';
import { where } from './where.js';

export const methods = {
  add,
  argmax,
  at,
  attention,
  attentionQkv,
  avgPool,
  backward,
  batchNorm,
  cast,
  clamp,
  conv2d,
  crossEntropy,
  div,
  exp,
  expand,
  gather,
  gelu,
  globalAvgPool,
  greater,
  infoNce,
  l2Normalize,
  layerNorm,
  linear,
  log,
  logSoftmax,
  mask,
  matmul,
  max,
  maximum,
  maxPool,
  mean,
  mse,
  mul,
  neg,
  pick,
  relu,
  reshape,
  rowDot,
  sigmoid,
  slice,
  softmax,
  sqrt,
  sub,
  sum,
  tanh,
  transpose,
  variance,
  /**
   * x where the condition is not 0, else `other`: as in PyTorch and tfjs, the tensor is the value and not the
   * condition.
   */
  where: (x: Tensor, condition: Tensor, other: Tensor): Tensor => where(condition, x, other),
};

type Method<F> = F extends (x: Tensor, ...rest: infer R) => infer Y ? (...rest: R) => Y : never;
type Methods = { [K in keyof typeof methods]: Method<(typeof methods)[K]> };

declare global {
  namespace dawngrad {
    interface TensorMethods extends Methods {}
  }
}

for (const [name, f] of Object.entries(methods) as [string, (x: Tensor, ...rest: unknown[]) => unknown][]) {
  const value = function (this: Tensor, ...rest: unknown[]) {
    return f(this, ...rest);
  };
  Object.defineProperty(Tensor.prototype, name, { value, writable: true, configurable: true });
}
