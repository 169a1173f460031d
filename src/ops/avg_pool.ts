import source from '../../kernels/avg_pool.wgsl';
import gradSource from '../../kernels/avg_pool_grad.wgsl';
import type { Primitive } from '../backend/backend.js';
import { flag } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { show } from '../core/shape.js';
import type { PoolParams } from '../reference/pool.js';
import { record } from '../tensor/autograd.js';
import { runTo } from '../tensor/run.js';
import { empty, floatType, type Tensor } from '../tensor/tensor.js';
import type { Pair } from './pair.js';
import { type PoolOptions, poolLaunch, poolParams } from './pool.js';
import { mean } from './reduce.js';

const [launch, gradLaunch] = [poolLaunch('avg_pool', source), poolLaunch('avg_pool_grad', gradSource)];

type Params = PoolParams & { countPad: boolean };

const primitive: Primitive<Params> = {
  name: 'avg_pool',
  gpu: ({ countPad, ...p }) => ({ ...launch(p, p.N * p.P * p.Q * p.C), constants: { COUNT_PAD: Number(countPad) } }),
};

const gradient: Primitive<Params> = {
  name: 'avg_pool_grad',
  gpu: ({ countPad, ...p }) => ({
    ...gradLaunch(p, p.N * p.H * p.W * p.C),
    constants: { COUNT_PAD: Number(countPad) },
  }),
};

/**
 * The mean of every window.
 *
 * @param x [N, H, W, C]
 * @param options `countIncludePad` counts padding as zeros (torch's default); false leaves it out of the mean.
 * @returns [N, P, Q, C], P = ⌊(H + 2 padding - kernel) / stride⌋ + 1
 */
export function avgPool(x: Tensor, options: (PoolOptions & { countIncludePad?: boolean }) | Pair): Tensor {
  const sizes = poolParams('avgPool', x, options, { countIncludePad: flag });
  const p = { ...sizes, countPad: (options as { countIncludePad?: boolean }).countIncludePad ?? true };
  const y = runTo(empty([p.N, p.P, p.Q, p.C], x.dtype, x.backend), primitive, [x], p);
  // dx = Σ dy / (pixels counted) over the windows that hold the pixel
  return record('avgPool', y, [x], (dy, [dx]) => [runTo(dx(), gradient, [dy], p)]);
}

/** The mean of every channel over the picture. [N, H, W, C] -> [N, C] */
export function globalAvgPool(x: Tensor): Tensor {
  floatType('globalAvgPool', x);
  if (x.rank !== 4 || x.shape[1] * x.shape[2] === 0)
    throw new ShapeError(
      `globalAvgPool: x must be [N, H, W, C], with a pixel at least; got ${show(x.shape)}. Reshape it.`,
    );
  return mean(x, [1, 2]);
}
