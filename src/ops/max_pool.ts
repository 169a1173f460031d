import source from '../../kernels/max_pool.wgsl';
import gradSource from '../../kernels/max_pool_grad.wgsl';
import type { Primitive } from '../backend/backend.js';
import type { PoolParams } from '../reference/pool.js';
import { record } from '../tensor/autograd.js';
import { run, runTo } from '../tensor/run.js';
import { empty, type Tensor } from '../tensor/tensor.js';
import type { Pair } from './pair.js';
import { type PoolOptions, poolLaunch, poolParams } from './pool.js';

const [launch, gradLaunch] = [poolLaunch('max_pool', source), poolLaunch('max_pool_grad', gradSource)];

/** [x] -> [y, place] */
const primitive: Primitive<PoolParams> = { name: 'max_pool', gpu: (p) => launch(p, p.N * p.P * p.Q * p.C) };

/** [place, dy] -> [dx] */
const gradient: Primitive<PoolParams> = { name: 'max_pool_grad', gpu: (p) => gradLaunch(p, p.N * p.H * p.W * p.C) };

/**
 * The largest value of every window; padding never wins, and NaN always. The gradient goes to the first such value, row
 * by row.
 *
 * @param x [N, H, W, C]
 * @param options of the windows; a number or two are the kernel's.
 * @returns [N, P, Q, C], P = ⌊(H + 2 padding - kernel) / stride⌋ + 1
 */
export function maxPool(x: Tensor, options: PoolOptions | Pair): Tensor {
  const p = poolParams('maxPool', x, options);
  const shape = [p.N, p.P, p.Q, p.C];
  const [y, place] = [empty(shape, x.dtype, x.backend), empty(shape, 'u32', x.backend)];
  run(primitive, [x], [y, place], p);
  // dx = Σ dy over the windows that chose the pixel
  return record('maxPool', y, [x], (dy, [dx]) => [runTo(dx(), gradient, [place, dy], p)]);
}
