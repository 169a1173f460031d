import source from '../../kernels/ema.wgsl';
import type { Primitive } from '../backend/backend.js';
import { elementsLaunch } from '../backend/elements.js';
import { upTo1 } from '../core/check.js';
import { widths } from '../gpu/widths.js';
import { run } from '../tensor/run.js';
import { checkDType, checkSameShape, type Tensor } from '../tensor/tensor.js';
import { type Rate, rateOf } from './update.js';

const kernels = widths('ema', source);

const primitive: Primitive<{ length: number }> = { name: 'ema', gpu: ({ length }) => elementsLaunch(kernels, length) };

/**
 * θ_k = m θ_k + (1 - m) θ_q, in place and without gradients: the momentum update (MoCo, He et al. 2020, eq. 2).
 *
 * @param target θ_k, f32, for instance all parameters in one flat tensor.
 * @param source θ_q, of the same shape, in other memory.
 * @param m a one-element tensor, so that it may change from step to step, or outside of compiled functions a number in
 * [0, 1].
 */
export function ema(target: Tensor, source: Tensor, m: Rate): void {
  for (const x of [target, source]) checkDType('ema', x, 'f32');
  checkSameShape('ema', 'source', source, target.shape);
  run(primitive, [source, rateOf('ema', 'm', m, upTo1)], [target], { length: target.size });
}
