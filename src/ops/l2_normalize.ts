import source from '../../kernels/l2_normalize.wgsl';
import gradSource from '../../kernels/l2_normalize_grad.wgsl';
import type { Primitive } from '../backend/backend.js';
import { above0, check } from '../core/check.js';
import { kernel } from '../gpu/kernel.js';
import type { Rows } from '../reference/row_dot.js';
import { record } from '../tensor/autograd.js';
import { run, runTo } from '../tensor/run.js';
import { empty, floatType, type Tensor } from '../tensor/tensor.js';
import { rowDotLaunches, rowsOf, slotsOf } from './row_dot.js';

const [shader, gradShader] = [kernel('l2_normalize', source), kernel('l2_normalize_grad', gradSource)];

type Params = Rows & { eps: number };

/** [x] -> [y, squares] */
const primitive: Primitive<Params> = {
  name: 'l2_normalize',
  gpu: ({ eps, ...p }, traits) => {
    const slots = slotsOf(p, traits);
    const divide = {
      kernel: shader,
      params: { ...p, slots, eps },
      groups: Math.ceil((p.rows * slots) / 64),
      bind: [0, 2, 1],
    };
    return { scratch: [p.rows * slots], launches: [...rowDotLaunches(p, slots, [0, 0, 2, 3], traits), divide] };
  },
};

/** [y, dy, squares] -> [dx] */
const gradient: Primitive<Params> = {
  name: 'l2_normalize_grad',
  gpu: ({ eps, ...p }, traits) => {
    const slots = slotsOf(p, traits);
    const project = {
      kernel: gradShader,
      params: { ...p, slots, eps },
      groups: Math.ceil((p.rows * slots) / 64),
      bind: [0, 1, 2, 4, 3],
    };
    return {
      scratch: [p.rows, p.rows * slots],
      launches: [...rowDotLaunches(p, slots, [0, 1, 4, 5], traits), project],
    };
  },
};

/** y = x / max(‖x‖, eps) over the last axis, as torch's F.normalize. [.., C] -> [.., C], f32 whatever x is. */
export function l2Normalize(x: Tensor, eps = 1e-12): Tensor {
  floatType('l2Normalize', x);
  check('l2Normalize', 'eps', eps, above0);
  const p = { ...rowsOf('l2Normalize', x.shape), eps };
  const [y, squares] = [empty(x.shape, 'f32', x.backend), empty([p.rows], 'f32', x.backend)];
  run(primitive, [x], [y, squares], p);
  // dx = (dy - y ⟨y, dy⟩) / ‖x‖, or dy / eps where ‖x‖ <= eps
  return record('l2Normalize', y, [x], (dy, [dx]) => [runTo(dx(), gradient, [y, dy, squares], p)]);
}
